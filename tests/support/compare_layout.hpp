// SPDX-License-Identifier: MIT
//
// Who owns what, as recorded and as computed.
#pragma once

#include "support/engine_config.hpp"
#include "support/scenario.hpp"

#include <dszero/layout/partition.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

/// The recorded covers of a shard, as [name, offset, elements, position(, padded)].
inline std::string compare_covers(const Layout& layout, const Json& recorded,
                                  const std::vector<Cover>& covers, bool padded) {
    if (recorded.size() != covers.size()) return "number of covers";
    for (std::size_t i = 0; i < covers.size(); ++i) {
        const Json& r = recorded[i];
        const Cover& c = covers[i];
        if (r[0] != layout.parameters[c.parameter].name || r[1] != c.offset || r[2] != c.elements ||
            r[3] != c.position || (padded && r[4] != c.padded))
            return "cover " + r.dump();
    }
    return {};
}

/// What differs first between any rank's recorded layout and the computed one; empty if nothing does.
inline std::string compare_layout(const Scenario& scenario, const EngineConfig& config,
                                  const Layout& layout) {
    const DeepSpeedZeroConfig& zero = config.zero_config;
    for (std::size_t rank = 0; rank < scenario.ranks(); ++rank) {
        const Json& recorded = scenario.json["layout_per_rank"][rank];
        const std::string where = "layout, rank " + std::to_string(rank) + ": ";
        if (recorded.contains("groups")) {
            const FlatPartition partition(
                layout, {.ranks = scenario.ranks(), .round_robin = zero.round_robin_gradients});
            if (partition.groups.size() != recorded["groups"].size()) return where + "number of groups";
            for (std::size_t g = 0; g < partition.groups.size(); ++g) {
                const Json& r = recorded["groups"][g];
                const FlatGroup& group = partition.groups[g];
                if (r["flat_numel"] != group.padded) return where + "flat_numel";
                if (r["shard_numel"] != group.slice) return where + "shard_numel";
                if (r["padding"] != group.padding(rank)) return where + "padding";
                if (!r.contains("covers")) continue;
                for (std::size_t i = 0; i < group.order.size(); ++i)
                    if (r["flat_order"].size() != group.order.size() ||
                        r["flat_order"][i] != layout.parameters[group.order[i]].name)
                        return where + "flat_order";
                const std::string problem =
                    compare_covers(layout, r["covers"], partition.covers(layout, g, rank), false);
                if (!problem.empty()) return where + problem;
            }
        }
        if (recorded.contains("sub_groups")) {
            const PiecePartition partition(layout, scenario.ranks(),
                                           static_cast<std::size_t>(zero.sub_group_size));
            if (partition.sub_groups.size() != recorded["sub_groups"].size())
                return where + "number of sub-groups";
            for (std::size_t k = 0; k < partition.sub_groups.size(); ++k) {
                const SubGroup& sub_group = partition.sub_groups[k];
                if (recorded["sub_groups"][k]["shard_numel"] != sub_group.elements)
                    return where + "shard_numel";
                std::vector<Cover> covers;
                for (const std::size_t p : sub_group.parameters) {
                    covers.push_back(partition.cover(layout, p, rank));
                    covers.back().position -= sub_group.position;
                }
                const std::string problem =
                    compare_covers(layout, recorded["sub_groups"][k]["covers"], covers, true);
                if (!problem.empty()) return where + problem;
            }
            if (recorded.contains("persistent")) {
                const std::vector<bool> persistent =
                    persistent_parameters(layout, static_cast<std::size_t>(zero.param_persistence_threshold),
                                          static_cast<std::size_t>(zero.model_persistence_threshold));
                std::vector<std::string> names;
                for (std::size_t p = 0; p < persistent.size(); ++p)
                    if (persistent[p]) names.push_back(layout.parameters[p].name);
                std::sort(names.begin(), names.end());
                if (recorded["persistent"].get<std::vector<std::string>>() != names)
                    return where + "persistent";
            }
        }
    }
    return {};
}

}  // namespace test
