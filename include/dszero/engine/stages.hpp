// SPDX-License-Identifier: MIT
//
// The four stages of ZeRO, one below the other. For Ψ elements, N ranks, a 16-bit
// model and Adam: the bytes that a rank holds, and the elements sent in a step.
//
//     stage   weights  gradients  optimizer   gradients             weights
//     0       2Ψ       2Ψ         12Ψ         all_reduce Ψ
//     1       2Ψ       2Ψ         12Ψ/N       reduce_scatter Ψ      all_gather Ψ
//     2       2Ψ       2Ψ/N       12Ψ/N       reduce_scatter Ψ      all_gather Ψ
//     3       2Ψ/N     2Ψ/N       12Ψ/N       reduce_scatter Ψ      all_gather Ψ, up to twice
//
// With several micro-steps, stages 0 and 1 add up first and reduce once; stages 2 and
// 3 reduce every time, for they have no room to add up what is not theirs.
//
// A stage is a choice of parts: how weights are held (whole_weights.hpp, split_weights.hpp),
// how gradients are (whole_gradients.hpp, shard_gradients.hpp), and which slice the optimizer steps on:
// `mine`, which at stage 0 is everything.
#pragma once

#include <dszero/engine/parts/optimizer_shard.hpp>
#include <dszero/engine/parts/setup.hpp>
#include <dszero/engine/parts/shard_gradients.hpp>
#include <dszero/engine/parts/split_weights.hpp>
#include <dszero/engine/parts/stage.hpp>
#include <dszero/engine/parts/whole_gradients.hpp>
#include <dszero/engine/parts/whole_weights.hpp>
#include <dszero/layout/partition.hpp>

#include <cstddef>

namespace dszero {

// ------------------------------------------------ 0: everyone holds everything

template <Communicator C>
class Stage0 final : public StageOf<FlatPartition, WholeWeights<C>, WholeGradients<C>> {
public:
    explicit Stage0(Setup<C>& setup)
        : Stage0::StageOf(setup, FlatPartition(setup.layout, {.ranks = 1, .start_alignment = 1})) {
        this->gradients_.all_reduce();
    }

    void step(const GroupScalars& scalars) override {
        // backward: g = all_reduce(sum of g)
        this->step_shard(scalars);  // step(w, g)
    }
    bool replicated() const override { return true; }

    Operand my_weights(std::size_t s) override { return this->weights_.mine(s); }
    View my_gradients(std::size_t s) override { return this->gradients_.mine(s); }
};

// ------------------------------------------------- 1: optimizer state is split

template <Communicator C>
class Stage1 final : public StageOf<FlatPartition, WholeWeights<C>, WholeGradients<C>> {
public:
    explicit Stage1(Setup<C>& setup) : Stage1::StageOf(setup, flat_partition(setup)) {}

    void step(const GroupScalars& scalars) override {
        // backward: mine(g) = reduce_scatter(sum of g)
        this->step_shard(scalars);    // step(mine(w), mine(g))
        this->weights_.all_gather();  // w = all_gather(mine(w))
    }

    Operand my_weights(std::size_t s) override { return this->weights_.mine(s); }
    View my_gradients(std::size_t s) override { return this->gradients_.mine(s); }
};

// ------------------------ 2: gradients too: only a shard outlives its bucket

template <Communicator C>
class Stage2 final : public StageOf<FlatPartition, WholeWeights<C>, ShardGradients<C>> {
public:
    explicit Stage2(Setup<C>& setup) : Stage2::StageOf(setup, flat_partition(setup)) {}

    void step(const GroupScalars& scalars) override {
        // backward, for each bucket: g_shard += reduce_scatter(g)
        this->step_shard(scalars);    // step(mine(w), g_shard)
        this->weights_.all_gather();  // w = all_gather(mine(w))
    }

    Operand my_weights(std::size_t s) override { return this->weights_.mine(s); }
    View my_gradients(std::size_t s) override { return this->gradients_.part(this->segment(s)); }
};

// --------------------------- 3: weights too: gathered before use, never kept

template <Communicator C>
class Stage3 final : public StageOf<PiecePartition, SplitWeights<C>, ShardGradients<C>> {
public:
    explicit Stage3(Setup<C>& setup)
        : Stage3::StageOf(setup, PiecePartition(setup.layout, setup.ranks(), setup.sub_group_size)) {}

    void step(const GroupScalars& scalars) override {
        // forward and backward, for each module: w = all_gather(w_shard) while it is used
        // backward, for each bucket: g_shard += reduce_scatter(g)
        this->step_shard(scalars);  // step(w_shard, g_shard)
        this->weights_.refresh();   // small weights persist: gathered here, once a step
    }

    Operand my_weights(std::size_t s) override { return this->weights_.part(this->segment(s)); }
    View my_gradients(std::size_t s) override { return this->gradients_.part(this->segment(s)); }
};

}  // namespace dszero
