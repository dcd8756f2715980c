// SPDX-License-Identifier: MIT
#include <dszero/layout/partition.hpp>

#include "support/catch.hpp"
#include "support/compare_layout.hpp"

#include <cstddef>
#include <random>
#include <vector>

using dszero::Cover;
using dszero::FlatPartition;
using dszero::Layout;
using dszero::OwnedRange;
using dszero::Ownership;
using dszero::PiecePartition;

namespace {

Layout layout_of(const std::vector<std::size_t>& sizes) {
    Layout layout;
    std::vector<std::size_t> all;
    for (std::size_t p = 0; p < sizes.size(); ++p)
        all.push_back(layout.add_parameter("p" + std::to_string(p), {sizes[p]}));
    layout.add_module("all", all);
    return layout;
}

}  // namespace

TEST_CASE("partition: every recorded layout is the computed one") {
    const auto scenarios = test::scenarios_in(DSZERO_TEST_DATA "/engine");
    REQUIRE(scenarios.size() > 50);
    for (const auto& scenario : scenarios) {
        CAPTURE(scenario.name);
        CHECK(test::compare_layout(scenario, test::engine_config(scenario.config(), scenario.ranks()),
                                   scenario.layout()) == "");
    }
}

TEST_CASE("partition: a flat vector is padded at its end to a multiple of twice the ranks") {
    const FlatPartition partition(layout_of({3, 1, 2, 5}), {.ranks = 4});
    REQUIRE(partition.groups.size() == 1);
    const auto& group = partition.groups[0];
    CHECK(group.elements == 11);
    CHECK(group.padded == 16);
    CHECK(group.slice == 4);
    CHECK(group.padding(1) == 0);
    CHECK(group.padding(2) == 1);
    CHECK(group.padding(3) == 4);
    CHECK(partition.owners(3, 3) == std::vector<OwnedRange>{{0, 3, 1}, {1, 4, 2}});
}

TEST_CASE("partition: aligned parameters start at multiples, and their padding is no one's") {
    const Layout layout = layout_of({3, 9, 8});
    const FlatPartition partition(layout, {.ranks = 2, .parameter_alignment = 8});
    CHECK(partition.positions == std::vector<std::size_t>{0, 8, 24});
    CHECK(partition.groups[0].padded == 32);
    CHECK(partition.covers(layout, 0, 0) == std::vector<Cover>{{0, 0, 3, 0, 3}, {1, 0, 8, 8, 8}});
    CHECK(partition.covers(layout, 0, 1) == std::vector<Cover>{{1, 8, 1, 0, 1}, {2, 0, 8, 8, 8}});
}

TEST_CASE("partition: round robin deals parameters out by index mod ranks") {
    CHECK(dszero::deal_out({10, 11, 12, 13, 14}, 3) == std::vector<std::size_t>{10, 13, 11, 14, 12});
    CHECK(dszero::deal_out({10, 11}, 5) == std::vector<std::size_t>{10, 11});
}

TEST_CASE("partition: stage 3 cuts each parameter into equal pieces, the last ones padded") {
    const Layout layout = layout_of({1, 10});
    const PiecePartition partition(layout, 4, 1000);
    CHECK(partition.pieces == std::vector<std::size_t>{1, 3});
    CHECK(partition.cover(layout, 0, 0) == Cover{0, 0, 1, 0, 1});
    CHECK(partition.cover(layout, 0, 1) == Cover{0, 1, 0, 0, 1});
    CHECK(partition.cover(layout, 1, 3) == Cover{1, 9, 1, 1, 3});
    CHECK(partition.padded(1) == 12);
}

TEST_CASE("partition: a sub-group closes once it has its size, overshooting by a piece") {
    const PiecePartition partition(layout_of({99, 1, 65, 7, 64, 1000, 13, 1000, 129, 323, 1}), 1, 100);
    std::vector<std::size_t> sizes;
    for (const auto& sub_group : partition.sub_groups) sizes.push_back(sub_group.elements);
    CHECK(sizes == std::vector<std::size_t>{100, 136, 1000, 1013, 129, 323, 1});
}

TEST_CASE("partition: small parameters persist until there are too many of them") {
    const Layout layout = layout_of({5, 100, 5, 6, 5});
    CHECK(dszero::persistent_parameters(layout, 5, 1000) ==
          std::vector<bool>{true, false, true, false, true});
    CHECK(dszero::persistent_parameters(layout, 6, 11) == std::vector<bool>{true, false, true, false, false});
    CHECK(dszero::persistent_parameters(layout, 0, 1000) == std::vector<bool>(5, false));
}

TEST_CASE("partition: every element has one owner, whose place for it is its own") {
    std::mt19937 random(1);
    for (int round = 0; round < 200; ++round) {
        std::vector<std::size_t> sizes(1 + random() % 9);
        for (std::size_t& n : sizes) n = random() % 5 == 0 ? 0 : random() % 40;
        Layout layout = layout_of(sizes);
        if (sizes.size() > 2) {  // two groups, and a frozen parameter
            layout.parameters[1].frozen = true;
            layout.groups.resize(2);
            for (std::size_t p = 0; p < sizes.size(); ++p) layout.groups[p % 2].parameters.push_back(p);
        }
        const std::size_t ranks = 1 + random() % 7;
        const FlatPartition flat(layout, {.ranks = ranks,
                                          .parameter_alignment = std::size_t{1} << (random() % 4),
                                          .round_robin = random() % 2 == 0});
        const PiecePartition pieces(layout, ranks, random() % 50);
        CHECK(flat.shard * ranks == flat.elements);
        for (std::size_t rank = 0; rank < ranks; ++rank) {
            std::vector<bool> taken_flat(flat.shard), taken_pieces(pieces.shard);
            for (std::size_t p = 0; p < sizes.size(); ++p) {
                if (layout.parameters[p].frozen) continue;
                const auto check = [&](const Ownership& place, std::vector<bool>& taken) {
                    std::size_t next = 0, mine = 0;
                    for (const OwnedRange& range : place.owners) {
                        CHECK(range.offset == next);  // in order, without gaps
                        next += range.elements;
                        if (range.rank == rank) mine += range.elements;
                    }
                    CHECK(next == place.room);
                    CHECK(place.room >= sizes[p]);
                    CHECK(mine == place.mine.padded);
                    for (std::size_t i = 0; i < place.mine.padded; ++i) {
                        CHECK(!taken.at(place.mine.position + i));
                        taken[place.mine.position + i] = true;
                    }
                };
                check(flat.place(layout, p, rank), taken_flat);
                check(pieces.place(layout, p, rank), taken_pieces);
            }
        }
    }
}
