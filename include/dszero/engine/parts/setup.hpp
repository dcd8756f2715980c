// SPDX-License-Identifier: MIT
//
// What every stage is made from: the ranks, the model, where memory comes from, and
// the configuration's answers. engine.hpp fills it in; nothing below reads a config.
#pragma once

#include <dszero/engine/bucket.hpp>
#include <dszero/engine/communicator.hpp>
#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/parts/erased_optimizer.hpp>
#include <dszero/engine/storage/array.hpp>
#include <dszero/engine/storage/stored_states.hpp>
#include <dszero/engine/storage/stored_weights.hpp>
#include <dszero/engine/threads/thread_pool.hpp>
#include <dszero/layout/partition.hpp>

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace dszero {

/// The micro-steps whose gradients make one step.
struct Window {
    std::size_t steps = 1;
    std::size_t micro = 0;

    bool last() const { return micro + 1 == steps; }
};

/// What stage 3 keeps whole, and for how long. In elements.
struct GatherLimits {
    std::size_t persistence_threshold = 0;
    std::size_t model_persistence_threshold = 0;
    std::size_t live = 0;
    std::size_t reuse_distance = 0;
    std::size_t prefetch = 0;
};

/// Where a stage keeps what the configuration moves off the device.
struct Placement {
    Home weights;      ///< stage 3's shard of them
    Home optimizer;    ///< master weights and states
    Home gradients;    ///< what the optimizer of stages 2 and 3 steps with
    double ratio = 1;  ///< the share of the shard's segments for which the last two hold

    // where NVMe is a home
    StorePlace optimizer_store, weights_store;
    Tiling tiling;                 ///< what of the optimizer is in memory at a time
    bool fast_init = false;        ///< states that start at zero are not written
    PieceBuffers buffers;          ///< what weights pass through
    std::size_t kept_in_host = 0;  ///< elements of weights that do not leave it, whole pieces only

    /// So many of the shard's segments stay on the device, the first ones.
    std::size_t segments_on_device(std::size_t segments) const {
        const auto count = static_cast<double>(segments);
        return static_cast<std::size_t>(std::clamp((1 - ratio) * count, 0.0, count));
    }
    std::size_t elements_on_device(const std::vector<ShardSegment>& segments) const {
        std::size_t elements = 0;
        for (std::size_t s = 0; s < segments_on_device(segments.size()); ++s)
            elements += segments[s].elements;
        return elements;
    }
};

/// What a configuration says to a stage.
struct StageSettings {
    ScalarType model = ScalarType::fp32;
    ScalarType accumulation = ScalarType::fp32;
    ReducerOptions reducer;
    std::size_t reduce_bucket_size = 0;  ///< in elements, as is sub_group_size
    bool round_robin = false;
    std::size_t parameter_alignment = 1;
    std::size_t sub_group_size = 0;
    GatherLimits gather;
    Placement placement;
};

template <Communicator C>
struct Setup : StageSettings {
    C& comm;
    const Layout& layout;
    Memory& memory;
    ThreadPool& pool;
    const ErasedOptimizer& optimizer;
    const Window& window;
    Plan plan;  ///< what the stage will hold; committed once it is built

    std::size_t ranks() const { return static_cast<std::size_t>(comm.size()); }
    std::size_t rank() const { return static_cast<std::size_t>(comm.rank()); }
};

inline std::vector<Share> to_shares(std::span<const OwnedRange> ranges, std::size_t begin) {
    std::vector<Share> shares;
    for (const OwnedRange& range : ranges)
        shares.push_back({static_cast<int>(range.rank), begin + range.offset, range.elements});
    return shares;
}

/// Calls f(offset, values) with a parameter's initial values, a few thousand at a time.
template <class F>
void for_each_initial_block(const Layout& layout, std::size_t parameter, std::size_t offset,
                            std::size_t elements, const F& f) {
    float values[4096];
    for (std::size_t i = 0; i < elements; i += std::size(values)) {
        const std::span<float> block(values, std::min(std::size(values), elements - i));
        std::fill(block.begin(), block.end(), 0.0f);
        if (layout.init) layout.init(parameter, offset + i, block);
        f(i, block);
    }
}

/// The most room that one module's gradients take up in a bucket.
template <class Room>
std::size_t largest_module(const Layout& layout, const std::vector<std::size_t>& uses, const Room& room) {
    std::size_t most = 0;
    for (const Module& module : layout.modules) {
        std::size_t sum = 0;
        for (const std::size_t p : module.parameters)
            if (!layout.parameters[p].frozen && uses[p] == 1) sum += room(p);
        most = std::max(most, sum);
    }
    return most;
}

/// A bucket for gradients that several modules add to: each has its place, from its first use to its last.
template <class Room>
std::size_t shared_elements(const Layout& layout, const std::vector<std::size_t>& uses, const Room& room) {
    std::size_t sum = 0;
    for (std::size_t p = 0; p < layout.parameters.size(); ++p)
        if (!layout.parameters[p].frozen && uses[p] > 1) sum += room(p);
    return sum;
}

}  // namespace dszero
