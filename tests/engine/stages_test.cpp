// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/training.hpp"

#include <dszero/layout/partition.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

using namespace dszero;
using test::Run;

namespace {

const std::vector<std::size_t> rank_counts = {1, 2, 3, 4, 7};

/// Elements of the test's layout, counted in the ways that matter.
struct Counted {
    std::size_t trainable = 0, frozen = 0, shared = 0;
    std::size_t flat = 0;                       ///< stages 1 and 2: with the tails
    std::size_t pieces = 0, frozen_pieces = 0;  ///< stage 3: of one rank
    std::size_t largest_module = 0, largest_padded_module = 0, shared_padded = 0;
    std::size_t module_uses_padded = 0;  ///< what gathering each module once brings together

    explicit Counted(const Layout& layout, std::size_t ranks) {
        const auto uses = count_uses(layout);
        const FlatPartition flats(layout, {.ranks = ranks});
        const PiecePartition parts(layout, ranks, 1'000'000);
        flat = flats.elements;
        pieces = parts.shard;
        frozen_pieces = parts.frozen;
        for (std::size_t p = 0; p < uses.size(); ++p) {
            const std::size_t n = layout.parameters[p].elements;
            (layout.parameters[p].frozen ? frozen : trainable) += n;
            if (uses[p] > 1) shared += n, shared_padded += parts.padded(p);
        }
        for (const Module& module : layout.modules) {
            std::size_t sum = 0, padded = 0;
            for (const std::size_t p : module.parameters) {
                module_uses_padded += parts.padded(p);
                if (layout.parameters[p].frozen || uses[p] > 1) continue;
                sum += layout.parameters[p].elements;
                padded += parts.padded(p);
            }
            largest_module = std::max(largest_module, sum);
            largest_padded_module = std::max(largest_padded_module, padded);
        }
    }
};

std::size_t held(const EngineReport& report, Purpose purpose) {
    return report.memory.tiers[0].by_purpose[static_cast<std::size_t>(purpose)].current_bytes;
}
std::uint64_t sent(const EngineReport& report, Collective kind) {
    return report.traffic.last_step()[kind].elements;
}

}  // namespace

TEST_CASE("stages: with one micro-step all four give the same bits, whatever the bucket") {
    for (const std::size_t ranks : rank_counts)
        for (const char* type : {"fp32", "bf16", "fp16"}) {
            const auto expected = test::train({.stage = 0, .ranks = ranks, .type = type});
            REQUIRE(!expected.bits.empty());
            for (int stage = 0; stage < 4; ++stage)
                for (const std::int64_t bucket : {1, 60, 250, 1'000'000})
                    for (const bool overlap : {false, true}) {
                        CAPTURE(ranks, type, stage, bucket, overlap);
                        const auto got = test::train({.stage = stage,
                                                      .ranks = ranks,
                                                      .type = type,
                                                      .bucket = bucket,
                                                      .overlap = overlap});
                        CHECK(got.bits == expected.bits);
                        CHECK(got.norms == expected.norms);
                    }
        }
}

TEST_CASE("stages: with several micro-steps 0 and 1 give the same bits, and so do 2 and 3") {
    for (const std::size_t ranks : rank_counts)
        for (const char* type : {"fp32", "bf16", "fp16"})
            for (const bool wide_sums : {false, true})
                for (const int first : {0, 2}) {
                    const auto run = [&](int stage, std::int64_t bucket, bool overlap) {
                        const Run r{.stage = stage,
                                    .ranks = ranks,
                                    .type = type,
                                    .bucket = bucket,
                                    .overlap = overlap,
                                    .micro_steps = 3};
                        auto config = test::config_for(r);
                        if (wide_sums) config.data_types.grad_accum_dtype = "fp32";
                        return test::train(config, test::odd_layout(), r).bits;
                    };
                    const auto expected = run(first, 1'000'000, false);
                    REQUIRE(!expected.empty());
                    for (const int stage : {first, first + 1})
                        for (const std::int64_t bucket : {1, 100}) {
                            CAPTURE(ranks, type, wide_sums, stage, bucket);
                            CHECK(run(stage, bucket, false) == expected);
                            CHECK(run(stage, bucket, true) == expected);
                        }
                }
}

TEST_CASE("stages: averaging by all-reduce, or in another type, is the same at every stage") {
    for (const std::size_t ranks : {std::size_t{2}, std::size_t{3}})
        for (const char* type : {"fp32", "bf16"}) {
            std::vector<std::uint32_t> plain, divided, wide;
            for (int stage = 0; stage < 4; ++stage) {
                CAPTURE(ranks, type, stage);
                const Run run{
                    .stage = stage, .ranks = ranks, .type = type, .bucket = 100, .overlap = stage % 2 == 1};
                auto config = test::config_for(run);
                config.zero_config.reduce_scatter = false;
                const auto a = test::train(config, test::odd_layout(), run).bits;
                config.gradient_predivide_factor = 2;
                const auto b = test::train(config, test::odd_layout(), run).bits;
                config = test::config_for(run);
                config.communication_data_type = DataType::fp32;
                const auto c = test::train(config, test::odd_layout(), run).bits;
                if (stage == 0) plain = a, divided = b, wide = c;
                CHECK(a == plain);
                CHECK(a == test::train(run).bits);  // reduce-scatter gives the same
                CHECK(b == divided);
                CHECK(c == wide);
            }
        }
}

TEST_CASE("stages: elements sent in a step are the design's volumes") {
    for (const std::size_t ranks : rank_counts)
        for (const std::int64_t micro_steps : {1, 3})
            for (const std::int64_t bucket : {1, 100, 1'000'000})
                for (int stage = 0; stage < 4; ++stage) {
                    CAPTURE(ranks, micro_steps, bucket, stage);
                    const Counted n(test::odd_layout(), ranks);
                    const auto g = static_cast<std::size_t>(micro_steps);
                    const Run run{.stage = stage,
                                  .ranks = ranks,
                                  .type = "bf16",
                                  .bucket = bucket,
                                  .overlap = true,
                                  .micro_steps = micro_steps};
                    for (const EngineReport& report : test::train(run).reports) {
                        CHECK(sent(report, Collective::all_reduce) == (stage == 0 ? n.trainable : 0));
                        CHECK(sent(report, Collective::reduce_scatter) == (stage == 0   ? 0
                                                                           : stage == 1 ? n.trainable
                                                                           : stage == 2
                                                                               ? n.trainable * g
                                                                               : n.pieces * ranks * g));
                        // stage 3: each weight once a pass, as reuse and prefetching let nothing be gathered
                        // twice
                        CHECK(sent(report, Collective::all_gather) ==
                              (stage == 0   ? 0
                               : stage == 3 ? (n.pieces + n.frozen_pieces) * ranks * g
                                            : n.flat));
                    }
                    if (stage != 3) continue;
                    auto config = test::config_for(run);
                    config.zero_config.max_reuse_distance = 0;
                    config.zero_config.prefetch_bucket_size = 0;
                    for (const EngineReport& report : test::train(config, test::odd_layout(), run).reports)
                        CHECK(sent(report, Collective::all_gather) == 2 * n.module_uses_padded * g);
                }
}

TEST_CASE("stages: bytes held are the formula's, for each purpose") {
    for (const std::size_t ranks : rank_counts)
        for (const char* type : {"fp32", "bf16", "fp16"})
            for (const bool overlap : {false, true})
                for (int stage = 0; stage < 4; ++stage) {
                    CAPTURE(ranks, type, overlap, stage);
                    const Counted n(test::odd_layout(), ranks);
                    const std::size_t model = std::string(type) == "fp32" ? 4 : 2;
                    const std::size_t bucket = 50;  // less than the largest module, which is lent together
                    const auto reports = test::train({.stage = stage,
                                                      .ranks = ranks,
                                                      .type = type,
                                                      .bucket = bucket,
                                                      .overlap = overlap})
                                             .reports;
                    const std::size_t shard = stage == 0   ? n.trainable
                                              : stage == 3 ? n.pieces
                                                           : n.flat / ranks;
                    const std::size_t whole = stage == 0 ? n.trainable : n.flat;
                    for (const EngineReport& report : reports) {
                        CHECK(held(report, Purpose::weights) ==
                              model * (stage == 3 ? n.pieces + n.frozen_pieces : whole + n.frozen));
                        CHECK(held(report, Purpose::gradients) == model * (stage < 2 ? whole : shard));
                        CHECK(held(report, Purpose::master_weights) == (model == 4 ? 0 : 4 * shard));
                        CHECK(held(report, Purpose::moments) == 8 * shard);
                        const std::size_t buckets = overlap ? 2 : 1;
                        CHECK(held(report, Purpose::buckets) ==
                              (stage < 2    ? 0
                               : stage == 2 ? model * (buckets * n.largest_module + n.shared)
                                            : model * (buckets * n.largest_padded_module + n.shared_padded)));
                        CHECK(held(report, Purpose::staging) == 0);
                        if (stage != 3) CHECK(held(report, Purpose::gathered) == 0);
                    }
                }
}

TEST_CASE("stages: what is sent in another type needs no room for frozen parameters") {
    Layout layout;
    layout.add_module("m", {layout.add_parameter("w", {10}), layout.add_parameter("frozen", {1000}, true)});
    for (int stage = 0; stage < 4; ++stage) {
        CAPTURE(stage);
        const Run run{.stage = stage, .ranks = 1, .type = "bf16", .bucket = 4};
        auto config = test::config_for(run);
        const auto same_type = test::train(config, layout, run).reports;
        config.communication_data_type = DataType::fp32;
        const auto reports = test::train(config, layout, run).reports;
        CHECK(held(reports[0], Purpose::buckets) == held(same_type[0], Purpose::buckets) + 4 * 10);
    }
}

TEST_CASE("overlap: at least half of the gradients are reduced before backward is over") {
    Layout layout;
    for (int m = 0; m < 8; ++m) {
        const std::string name = "layer" + std::to_string(m);
        const auto w = layout.add_parameter(name + ".w", {64, 64}),
                   b = layout.add_parameter(name + ".b", {64});
        layout.add_module(name, {w, b});
    }
    for (const std::size_t ranks : {std::size_t{2}, std::size_t{3}})
        for (int stage = 0; stage < 4; ++stage)
            for (const std::int64_t bucket : {100, 10'000, 500'000'000}) {
                CAPTURE(ranks, stage, bucket);
                const Run run{.stage = stage, .ranks = ranks, .bucket = bucket, .overlap = true};
                for (const EngineReport& report : test::train(test::config_for(run), layout, run).reports) {
                    CHECK(report.traffic.gradient_bytes() >= 4 * trainable_elements(layout));
                    CHECK(2 * report.traffic.gradient_bytes_before_end() >= report.traffic.gradient_bytes());
                }
            }
}
