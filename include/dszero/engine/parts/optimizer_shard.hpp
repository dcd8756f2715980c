// SPDX-License-Identifier: MIT
//
// What one rank's optimizer holds: fp32 master weights and the optimizer's states, for
// the elements it owns. Those of the first segments stay on the device; the others' are
// where the placement says, in memory or in a store. Weights that are fp32 and in memory
// are their own masters.
#pragma once

#include <dszero/engine/parts/setup.hpp>
#include <dszero/engine/storage/operand.hpp>
#include <dszero/engine/storage/stored_states.hpp>
#include <dszero/engine/tiled_step.hpp>

#include <algorithm>
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
        : optimizer_(setup.optimizer),
          pool_(setup.pool),
          fast_init_(setup.placement.fast_init),
          segments_(std::move(segments)) {
        const Placement& placement = setup.placement;
        const bool masters = setup.model != ScalarType::fp32 || placement.weights.tier == Tier::nvme;
        const std::size_t on_device = placement.elements_on_device(segments_);
        in_memory_ = segments_.size();
        std::size_t in_memory = elements;
        if (placement.optimizer.tier == Tier::nvme && (masters || !optimizer_.states().empty())) {
            in_memory_ = placement.segments_on_device(segments_.size());
            in_memory = on_device;
            for (std::size_t i = in_memory_; i < segments_.size(); ++i) {
                stored_segments_.push_back(segments_[i]);
                stored_segments_.back().position -= on_device;
            }
            stored_ =
                std::make_unique<StoredStates>(setup.plan, placement.optimizer_store, placement.tiling,
                                               masters, optimizer_.states().size(), elements - on_device);
        }
        const auto column = [&](Purpose purpose) {
            return std::make_unique<DividedArray>(setup.plan, on_device, placement.optimizer, purpose,
                                                  ScalarType::fp32, in_memory);
        };
        if (masters) master_ = column(Purpose::master_weights);
        for (std::size_t s = 0; s < optimizer_.states().size(); ++s)
            states_.push_back(column(Purpose::moments));
    }

    const std::vector<ShardSegment>& segments() const { return segments_; }

    /// To be called once memory is there. `weights`: segment -> this rank's weights, which the masters start
    /// from.
    template <class Weights>
    void init(const Weights& weights) {
        for (std::size_t i = 0; i < in_memory_; ++i) {
            if (master_)
                for_each_read(weights(i), 0, segments_[i].elements, [&](std::size_t offset, View part) {
                    copy(part, column_part(*master_, i).part(offset, part.elements));
                });
            for (std::size_t s = 0; s < states_.size(); ++s)
                std::ranges::fill(column_part(*states_[s], i).template as<float>(),
                                  optimizer_.states()[s].initial_value);
        }
        if (stored_)
            stored_->init(
                optimizer_.states(), stored_segments_, [&](std::size_t i) { return weights(in_memory_ + i); },
                fast_init_);
    }

    /// One step of every segment. `scalars`: group -> StepScalars; `gradients`: segment -> View; `weights`:
    /// segment -> Operand.
    template <class Scalars, class Gradients, class Weights>
    void step(const Scalars& scalars, const Gradients& gradients, const Weights& weights) {
        for (std::size_t i = 0; i < in_memory_; ++i)
            for_each_written(weights(i), 0, segments_[i].elements, [&](std::size_t offset, View part) {
                const auto of = [&](View whole) { return whole.part(offset, part.elements); };
                StepViews views{{}, {}, of(gradients(i)), {}};
                views.master = (master_ ? of(column_part(*master_, i)) : part).template as<float>();
                for (std::size_t s = 0; s < states_.size(); ++s)
                    views.states[s] = of(column_part(*states_[s], i)).template as<float>();
                if (master_) views.weights = part;
                optimizer_.step(pool_, scalars(segments_[i].group), views);
            });
        if (!stored_ || !stored_->arrays()) return;
        tiled_step(
            *stored_->arrays(), optimizer_, pool_, stored_segments_, scalars,
            [&](std::size_t i) { return gradients(in_memory_ + i); },
            [&](std::size_t i) { return weights(in_memory_ + i); });
    }

    /// The values of a parameter's cover, which lies in one segment.
    template <class Weights>
    std::vector<float> read_master(const Cover& cover, const Weights& weights) {
        return read(cover, [&](std::size_t i, std::size_t offset, std::span<float> to) {
            if (!master_) return copy_out(weights(i).in_memory, offset, to);
            if (i < in_memory_) return copy_out(column_part(*master_, i), offset, to);
            stored_->read_master(stored_segments_[i - in_memory_].position + offset, to);
        });
    }
    std::vector<float> read_state(std::size_t index, const Cover& cover) {
        return read(cover, [&](std::size_t i, std::size_t offset, std::span<float> to) {
            if (i < in_memory_) return copy_out(column_part(*states_[index], i), offset, to);
            stored_->read_state(index, stored_segments_[i - in_memory_].position + offset, to);
        });
    }

    /// Null if nothing is in a store.
    const ErasedStore* store() const { return stored_ ? stored_->store() : nullptr; }

private:
    View column_part(const DividedArray& column, std::size_t segment) const {
        return column.part(segments_[segment].position, segments_[segment].elements);
    }
    static void copy_out(View from, std::size_t offset, std::span<float> to) {
        std::ranges::copy(from.part(offset, to.size()).template as<float>(), to.begin());
    }
    /// What get(segment, offset in it, values) writes.
    template <class Get>
    std::vector<float> read(const Cover& cover, const Get& get) const {
        std::vector<float> values(cover.elements);
        for (std::size_t i = 0; i < segments_.size() && cover.elements != 0; ++i) {
            const ShardSegment& s = segments_[i];
            if (cover.position >= s.position && cover.position < s.position + s.elements)
                get(i, cover.position - s.position, values);
        }
        return values;
    }

    const ErasedOptimizer& optimizer_;
    ThreadPool& pool_;
    bool fast_init_;
    std::vector<ShardSegment> segments_;
    std::size_t in_memory_ = 0;  ///< so many of them are; the others' positions in the store:
    std::vector<ShardSegment> stored_segments_;
    std::unique_ptr<DividedArray> master_;
    std::vector<std::unique_ptr<DividedArray>> states_;
    std::unique_ptr<StoredStates> stored_;
};

}  // namespace dszero
