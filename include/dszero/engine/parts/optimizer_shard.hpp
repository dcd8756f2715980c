// SPDX-License-Identifier: MIT
//
// What one rank's optimizer holds: fp32 master weights and the optimizer's states, for
// the elements it owns, each segment's where its placement says. An fp32 model's weights
// are their own masters.
#pragma once

#include <dszero/engine/parts/setup.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <utility>
#include <vector>

namespace dszero {

class OptimizerShard {
public:
    template <Communicator C>
    OptimizerShard(Setup<C>& setup, std::vector<ShardSegment> segments, std::size_t elements)
        : optimizer_(setup.optimizer), pool_(setup.pool), segments_(std::move(segments)) {
        const std::size_t on_device = setup.placement.kept_on_device(segments_);
        const auto column = [&](Purpose purpose) {
            return std::make_unique<DividedArray>(setup.plan, on_device, setup.placement.optimizer, purpose,
                                                  ScalarType::fp32, elements);
        };
        if (setup.model != ScalarType::fp32) master_ = column(Purpose::master_weights);
        for (std::size_t s = 0; s < optimizer_.states().size(); ++s)
            states_.push_back(column(Purpose::moments));
    }

    const std::vector<ShardSegment>& segments() const { return segments_; }

    /// To be called once memory is there. `weights`: segment -> this rank's weights, which the masters start
    /// from.
    template <class Weights>
    void init(const Weights& weights) {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            if (master_) copy(weights(i), part(*master_, i));
            for (std::size_t s = 0; s < states_.size(); ++s)
                if (const float value = optimizer_.states()[s].initial_value; value != 0)
                    for (float& x : part(*states_[s], i).template as<float>()) x = value;
        }
    }

    /// One step of every segment. `scalars`: group -> StepScalars; `gradients` and `weights`: segment ->
    /// View.
    template <class Scalars, class Gradients, class Weights>
    void step(const Scalars& scalars, const Gradients& gradients, const Weights& weights) {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            StepViews views{master(i, weights), {}, gradients(i), {}};
            for (std::size_t s = 0; s < states_.size(); ++s)
                views.states[s] = part(*states_[s], i).template as<float>();
            if (master_) views.weights = weights(i);
            optimizer_.step(pool_, scalars(segments_[i].group), views);
        }
    }

    /// The values of a parameter's cover, which lies in one segment.
    template <class Weights>
    std::vector<float> read_master(const Cover& cover, const Weights& weights) const {
        return read(cover, [&](std::size_t segment) { return master(segment, weights); });
    }
    std::vector<float> read_state(std::size_t index, const Cover& cover) const {
        return read(cover,
                    [&](std::size_t segment) { return part(*states_[index], segment).template as<float>(); });
    }

private:
    template <class Weights>
    std::span<float> master(std::size_t segment, const Weights& weights) const {
        return (master_ ? part(*master_, segment) : weights(segment)).template as<float>();
    }
    template <class Column>
    std::vector<float> read(const Cover& cover, const Column& column) const {
        for (std::size_t i = 0; i < segments_.size() && cover.elements != 0; ++i) {
            const ShardSegment& s = segments_[i];
            if (cover.position < s.position || cover.position >= s.position + s.elements) continue;
            const std::span<float> values = column(i).subspan(cover.position - s.position, cover.elements);
            return {values.begin(), values.end()};
        }
        return {};
    }
    View part(const DividedArray& column, std::size_t segment) const {
        return column.part(segments_[segment].position, segments_[segment].elements);
    }

    const ErasedOptimizer& optimizer_;
    ThreadPool& pool_;
    std::vector<ShardSegment> segments_;
    std::unique_ptr<DividedArray> master_;
    std::vector<std::unique_ptr<DividedArray>> states_;
};

}  // namespace dszero
