// SPDX-License-Identifier: MIT
//
// What one rank's optimizer holds: fp32 master weights and the optimizer's states,
// for the elements it owns. An fp32 model's weights are their own masters.
#pragma once

#include <dszero/engine/setup.hpp>

#include <array>
#include <cstddef>
#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

class OptimizerShard {
public:
    template <Communicator C>
    OptimizerShard(Setup<C>& setup, std::vector<ShardSegment> segments, std::size_t elements)
        : optimizer_(setup.optimizer), pool_(setup.pool), segments_(std::move(segments)) {
        if (setup.model != ScalarType::fp32)
            master_ = std::make_unique<Array>(setup.plan, Tier::device, Purpose::master_weights,
                                              ScalarType::fp32, elements);
        for (std::size_t s = 0; s < optimizer_.states().size(); ++s)
            states_.push_back(std::make_unique<Array>(setup.plan, Tier::device, Purpose::moments,
                                                      ScalarType::fp32, elements));
    }

    const std::vector<ShardSegment>& segments() const { return segments_; }

    /// To be called once memory is there. `weights`: segment -> this rank's weights, which the masters start
    /// from.
    template <class Weights>
    void init(const Weights& weights) {
        for (std::size_t i = 0; i < segments_.size() && master_; ++i)
            copy(weights(i), master_->part(segments_[i].position, segments_[i].elements));
        for (std::size_t s = 0; s < states_.size(); ++s)
            if (const float value = optimizer_.states()[s].initial_value; value != 0)
                for (float& x : states_[s]->view().template as<float>()) x = value;
    }

    /// One step of every segment. `scalars`: group -> StepScalars; `gradients` and `weights`: segment ->
    /// View.
    template <class Scalars, class Gradients, class Weights>
    void step(const Scalars& scalars, const Gradients& gradients, const Weights& weights) {
        for (std::size_t i = 0; i < segments_.size(); ++i) {
            StepViews views{master(i, weights), {}, gradients(i), {}};
            for (std::size_t s = 0; s < states_.size(); ++s)
                views.states[s] =
                    states_[s]->part(segments_[i].position, segments_[i].elements).template as<float>();
            if (master_) views.weights = weights(i);
            optimizer_.step(pool_, scalars(segments_[i].group), views);
        }
    }

    template <class Weights>
    std::span<float> master(std::size_t segment, const Weights& weights) const {
        const ShardSegment& s = segments_[segment];
        return (master_ ? master_->part(s.position, s.elements) : weights(segment)).template as<float>();
    }
    std::span<float> state(std::size_t index) const { return states_[index]->view().template as<float>(); }

private:
    const ErasedOptimizer& optimizer_;
    ThreadPool& pool_;
    std::vector<ShardSegment> segments_;
    std::unique_ptr<Array> master_;
    std::vector<std::unique_ptr<Array>> states_;
};

}  // namespace dszero
