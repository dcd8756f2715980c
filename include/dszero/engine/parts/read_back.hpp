// SPDX-License-Identifier: MIT
//
// Whole parameters, in fp32, from whoever has their parts: master weights and the
// optimizer's states. Collective; at any stage the same.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/optimizer.hpp>
#include <dszero/engine/parts/stage.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace dszero {

/// From each rank its part of a parameter.
template <Communicator C>
std::vector<float> collect(C& comm, const Stage& stage, const Layout& layout, std::size_t parameter,
                           std::span<const float> mine) {
    if (stage.replicated()) return {mine.begin(), mine.end()};
    std::vector<float> all(layout.parameters[parameter].elements);
    std::vector<Share> shares;
    for (const OwnedRange& range : stage.place(parameter).owners) {  // without padding
        const std::size_t begin = std::min(range.offset, all.size());
        shares.push_back({static_cast<int>(range.rank), begin, std::min(range.elements, all.size() - begin)});
    }
    all_gather(comm, mine, std::span(all), shares);
    return all;
}

/// A frozen parameter has no master: its weights, converted.
template <Communicator C>
std::vector<float> read_weight(C& comm, Stage& stage, const Layout& layout, std::size_t parameter) {
    if (!layout.parameters.at(parameter).frozen)
        return collect(comm, stage, layout, parameter,
                       stage.optimizer_shard().read_master(
                           stage.place(parameter).mine, [&](std::size_t s) { return stage.my_weights(s); }));
    std::vector<float> values(layout.parameters[parameter].elements);
    stage.bring(parameter);
    copy(stage.weight(parameter),
         {reinterpret_cast<std::byte*>(values.data()), values.size(), ScalarType::fp32});
    stage.let_go(parameter);
    return values;
}

template <Communicator C>
std::vector<float> read_state(C& comm, Stage& stage, const Layout& layout, std::size_t parameter,
                              std::span<const OptimizerState> states, std::string_view name) {
    if (layout.parameters.at(parameter).frozen)
        throw std::invalid_argument("the frozen parameter " + layout.parameters[parameter].name +
                                    " has no state");
    const auto state =
        std::find_if(states.begin(), states.end(), [&](const OptimizerState& s) { return s.name == name; });
    if (state == states.end()) {
        std::string known;
        for (const OptimizerState& s : states) known += (known.empty() ? "" : ", ") + std::string(s.name);
        throw std::invalid_argument("the optimizer has no state \"" + std::string(name) + "\"; it has " +
                                    (known.empty() ? "none" : known));
    }
    const auto index = static_cast<std::size_t>(state - states.begin());
    return collect(comm, stage, layout, parameter,
                   stage.optimizer_shard().read_state(index, stage.place(parameter).mine));
}

}  // namespace dszero
