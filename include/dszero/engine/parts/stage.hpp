// SPDX-License-Identifier: MIT
//
// What an engine asks of a stage, and what all stages have in common: a partition,
// weights, gradients, and one rank's share of the optimizer. Which, stages.hpp says.
#pragma once

#include <dszero/engine/parts/optimizer_shard.hpp>
#include <dszero/engine/parts/setup.hpp>
#include <dszero/layout/partition.hpp>

#include <cstddef>
#include <functional>
#include <utility>
#include <vector>

namespace dszero {

/// Group -> what its step is taken with.
using GroupScalars = std::function<StepScalars(std::size_t group)>;

/// Parameters and modules are indices into the layout, segments into segments().
class Stage {
public:
    virtual ~Stage() = default;

    /// Sets weights and masters; once memory is there.
    virtual void init() = 0;

    /// Brings a module's weights together, until release().
    virtual void acquire(std::size_t module) = 0;
    virtual void release(std::size_t module) noexcept = 0;
    /// The same for one parameter, outside a pass.
    virtual void bring(std::size_t parameter) = 0;
    virtual void let_go(std::size_t parameter) = 0;
    virtual View weight(std::size_t parameter) = 0;  ///< while it is there

    /// Before a module's gradients are lent.
    virtual void make_room(std::size_t module) = 0;
    virtual View lend_gradient(std::size_t parameter) = 0;
    virtual void reduce(std::size_t parameter) = 0;  ///< backward is through with it
    virtual void finish_backward() = 0;              ///< this micro-step's gradients are all in

    /// Steps on the averages, and makes the new weights known.
    virtual void step(const GroupScalars& scalars) = 0;

    virtual const std::vector<ShardSegment>& segments() const = 0;
    virtual Operand my_weights(std::size_t segment) = 0;
    virtual View my_gradients(std::size_t segment) = 0;
    virtual OptimizerShard& optimizer_shard() = 0;
    /// What states and weights pass through to and from NVMe; null if they do not.
    virtual const ErasedStore* optimizer_store() const = 0;
    virtual const ErasedStore* weights_store() const = 0;

    /// Who has which part of a parameter's optimizer state.
    virtual const Ownership& place(std::size_t parameter) const = 0;
    /// Whether every rank has all of it.
    virtual bool replicated() const { return false; }
};

/// Each parameter's place, as `setup`'s rank sees it. Where nothing is split, all of it is the rank's own.
template <class Partition, Communicator C>
std::vector<Ownership> places_in(const Partition& partition, const Setup<C>& setup) {
    const bool split = partition.ranks == setup.ranks();
    std::vector<Ownership> places;
    for (std::size_t p = 0; p < setup.layout.parameters.size(); ++p) {
        places.emplace_back();
        if (setup.layout.parameters[p].frozen) continue;
        places.back() = partition.place(setup.layout, p, split ? setup.rank() : 0);
        if (split) continue;
        for (OwnedRange& range : places.back().owners) range.rank = setup.rank();
    }
    return places;
}

template <Communicator C>
FlatPartition flat_partition(const Setup<C>& setup) {
    return FlatPartition(setup.layout, {.ranks = setup.ranks(),
                                        .parameter_alignment = setup.parameter_alignment,
                                        .round_robin = setup.round_robin});
}

template <class Partition, class Weights, class Gradients>
class StageOf : public Stage {
public:
    template <Communicator C>
    StageOf(Setup<C>& setup, Partition partition)
        : partition_(std::move(partition)),
          places_(places_in(partition_, setup)),
          weights_(setup, partition_),
          gradients_(setup, partition_, places_),
          optimizer_(setup, partition_.segments(), partition_.shard) {}

    void init() override {
        weights_.init();
        optimizer_.init(mine_of_weights());
    }
    void acquire(std::size_t module) override { weights_.acquire(module); }
    void release(std::size_t module) noexcept override { weights_.release(module); }
    void bring(std::size_t p) override { weights_.bring(p); }
    void let_go(std::size_t p) override { weights_.let_go(p); }
    View weight(std::size_t p) override { return weights_.whole(p); }
    void make_room(std::size_t module) override { gradients_.make_room(module); }
    View lend_gradient(std::size_t p) override { return gradients_.lend(p); }
    void reduce(std::size_t p) override { gradients_.give_back(p); }
    void finish_backward() override {
        gradients_.finish_backward();
        weights_.end_pass();
    }
    const std::vector<ShardSegment>& segments() const override { return optimizer_.segments(); }
    OptimizerShard& optimizer_shard() override { return optimizer_; }
    const ErasedStore* optimizer_store() const override { return optimizer_.store(); }
    const ErasedStore* weights_store() const override { return weights_.backing_store(); }
    const Ownership& place(std::size_t p) const override { return places_[p]; }

protected:
    const ShardSegment& segment(std::size_t s) const { return optimizer_.segments()[s]; }
    auto mine_of_weights() {
        return [this](std::size_t s) { return my_weights(s); };
    }
    void step_shard(const GroupScalars& scalars) {
        optimizer_.step(
            scalars, [this](std::size_t s) { return my_gradients(s); }, mine_of_weights());
    }

    Partition partition_;
    std::vector<Ownership> places_;
    Weights weights_;
    Gradients gradients_;
    OptimizerShard optimizer_;
};

}  // namespace dszero
