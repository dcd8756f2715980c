// SPDX-License-Identifier: MIT
//
// One rank's pieces of stage 3's weights, at home: in memory (the device's or the host's)
// or in a store, from which they are brought to memory for their gathers. Of a store's
// the first ones may stay in the host (max_in_cpu).
#pragma once

#include <dszero/engine/parts/setup.hpp>
#include <dszero/engine/storage/stored_weights.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <numeric>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dszero {

class WeightPieces {
public:
    template <Communicator C>
    WeightPieces(Setup<C>& setup, const PiecePartition& partition)
        : partition_(partition),
          type_(setup.model),
          by_position_(partition.positions.size()),
          in_memory_(partition.shard + partition.frozen) {
        std::iota(by_position_.begin(), by_position_.end(), std::size_t{0});
        std::ranges::stable_sort(by_position_, {}, [&](std::size_t p) { return partition.positions[p]; });
        Home home = setup.placement.weights;
        if (home.tier == Tier::nvme) {
            home = Home(Tier::host, setup.placement.buffers.locked);
            keep_in_memory(setup.placement.kept_in_host);
        }
        memory_ = std::make_unique<Array>(setup.plan, home, Purpose::weights, type_, in_memory_);
        if (in_memory_ != partition.shard + partition.frozen)
            stored_ = std::make_unique<StoredWeights>(setup.plan, setup.placement.weights_store, type_,
                                                      in_row(partition.shard + partition.frozen),
                                                      buffers(setup.layout, setup.placement.buffers));
    }

    /// To be called once memory is there.
    void init(const Layout& layout, int rank);

    /// A stretch of the shard.
    Operand part(std::size_t position, std::size_t elements) {
        const std::size_t begin = std::min(position, in_memory_);
        const View first = memory_->part(begin, std::min(position + elements, in_memory_) - begin);
        if (first.elements == elements) return first;
        return {first, *stored_, in_row(position + first.elements)};
    }
    /// After the last part of a pass over them was written.
    void end_writing() {
        if (stored_) stored_->end_writing();
    }

    /// Whether bring() finds room for a parameter's piece. If not, others have to go first.
    bool has_room(std::size_t p) const { return in_memory(p) || stored_->has_room(p); }
    /// The piece in memory, until let_go().
    View bring(std::size_t p) {
        const std::size_t elements = partition_.pieces[p];
        if (in_memory(p)) return memory_->part(elements == 0 ? 0 : partition_.positions[p], elements);
        return stored_->fetch(p, in_row(partition_.positions[p]), elements);
    }
    void let_go(std::size_t p) {
        if (!in_memory(p)) stored_->done(p);
    }
    /// Starts to bring it. False if there is no room.
    bool bring_early(std::size_t p) {
        return in_memory(p) || stored_->fetch_ahead(p, in_row(partition_.positions[p]), partition_.pieces[p]);
    }

    const ErasedStore* backing_store() const {
        return stored_ ? &stored_->store() : nullptr;
    }  ///< null: none

private:
    bool in_memory(std::size_t p) const {
        return partition_.positions[p] < in_memory_ || partition_.pieces[p] == 0;
    }
    /// As many pieces as there is room for, in the order of the shard.
    void keep_in_memory(std::size_t elements) {
        in_memory_ = 0;
        for (const std::size_t p : by_position_) {
            if (partition_.pieces[p] > elements - in_memory_) break;
            in_memory_ += partition_.pieces[p];
        }
    }
    /// A place in the shard -> one in the stored row. There frozen weights, which no step writes, begin at a
    /// block.
    std::size_t in_row(std::size_t position) const {
        if (position < partition_.shard || in_memory_ >= partition_.shard) return position - in_memory_;
        return round_up(partition_.shard - in_memory_, StoredWeights::block_elements(type_)) + position -
               partition_.shard;
    }
    PieceBuffers buffers(const Layout& layout, PieceBuffers given) const;

    const PiecePartition& partition_;
    ScalarType type_;
    std::vector<std::size_t> by_position_;
    std::size_t in_memory_;  ///< elements of the shard; the others are in the store
    std::unique_ptr<Array> memory_;
    std::unique_ptr<StoredWeights> stored_;
};

// ---- Implementation ----

inline void WeightPieces::init(const Layout& layout, int rank) {
    for (const std::size_t p : by_position_) {
        const Cover cover = partition_.cover(layout, p, static_cast<std::size_t>(rank));
        for_each_written(part(cover.position, cover.padded), 0, cover.padded,
                         [&](std::size_t begin, View to) {
                             const std::size_t values =
                                 std::min(to.elements, cover.elements - std::min(begin, cover.elements));
                             for_each_initial_block(layout, p, cover.offset + begin, values,
                                                    [&](std::size_t i, std::span<const float> block) {
                                                        store(block, to.part(i, block.size()));
                                                    });
                             fill_zero(to.part(values, to.elements - values));
                         });
    }
    end_writing();
}

/// No larger than they can ever be filled; but a piece, and a request of some size, must fit.
inline PieceBuffers WeightPieces::buffers(const Layout& layout, PieceBuffers given) const {
    std::size_t most = std::min(in_row(partition_.shard + partition_.frozen), std::size_t{1} << 17);
    for (std::size_t p = 0; p < partition_.pieces.size(); ++p) {
        if (in_memory(p)) continue;
        most = std::max(most, partition_.pieces[p]);
        if (partition_.pieces[p] > given.elements)
            throw std::invalid_argument("offload_param: buffer_size is " + std::to_string(given.elements) +
                                        " elements, but each rank's piece of " + layout.parameters[p].name +
                                        " has " + std::to_string(partition_.pieces[p]) +
                                        ": make buffer_size at least that");
    }
    given.elements = std::min(given.elements, most);
    return given;
}

}  // namespace dszero
