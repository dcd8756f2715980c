// SPDX-License-Identifier: MIT
//
// Master weights and optimizer states in a store: planned with everything else, booked on
// the NVMe tier, and stepped through a pool of tiles (tiled_step.hpp).
#pragma once

#include <dszero/engine/parts/erased_optimizer.hpp>
#include <dszero/engine/storage/array.hpp>
#include <dszero/engine/storage/operand.hpp>
#include <dszero/engine/tiled_step.hpp>

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

namespace dszero {

class StoredStates final : public Planned {
public:
    /// `masters`: master weights come before the states.
    StoredStates(Plan& plan, StorePlace place, const Tiling& tiling, bool masters, std::size_t states,
                 std::size_t elements)
        : place_(std::move(place)),
          tiling_(tiling),
          masters_(masters ? 1 : 0),
          count_(masters_ + states),
          elements_(elements) {
        plan.add(*this);
    }

    std::vector<Need> needs() const override {
        return {{Tier::nvme, Purpose::master_weights, bytes(masters_)},
                {Tier::nvme, Purpose::moments, bytes(count_ - masters_)},
                {Tier::host, Purpose::staging, TiledArrays::staging_bytes(count_, elements_, tiling_)}};
    }
    void allocate(Memory& memory, std::vector<std::string>& notes) override {
        if (bytes(count_) == 0) return;
        master_charge_ = Charge(memory[Tier::nvme], Purpose::master_weights, bytes(masters_));
        state_charge_ = Charge(memory[Tier::nvme], Purpose::moments, bytes(count_ - masters_));
        arrays_ = std::make_unique<TiledArrays>(place_.open(place_.directory, bytes(count_), notes), count_,
                                                elements_, tiling_, memory[Tier::host], notes);
    }

    /// `weights`: segment -> Operand that its masters start from. With fast_init, states that start at zero
    /// are not written: that is what a new store reads as.
    template <class Weights>
    void init(std::span<const OptimizerState> states, std::span<const ShardSegment> segments,
              const Weights& weights, bool fast_init);

    void read_master(std::size_t position, std::span<float> to) { arrays_->read(0, position, to); }
    void read_state(std::size_t index, std::size_t position, std::span<float> to) {
        arrays_->read(masters_ + index, position, to);
    }

    /// Both null if there is nothing to hold.
    const ErasedStore* store() const { return arrays_ ? &arrays_->store() : nullptr; }
    TiledArrays* arrays() { return arrays_.get(); }

private:
    std::size_t bytes(std::size_t arrays) const { return TiledArrays::store_bytes(arrays, elements_); }

    StorePlace place_;
    Tiling tiling_;
    std::size_t masters_, count_, elements_;
    Charge master_charge_, state_charge_;
    std::unique_ptr<TiledArrays> arrays_;
};

// ---- Implementation ----

template <class Weights>
void StoredStates::init(std::span<const OptimizerState> states, std::span<const ShardSegment> segments,
                        const Weights& weights, bool fast_init) {
    if (!arrays_) return;
    const bool zero =
        std::ranges::all_of(states, [](const OptimizerState& s) { return s.initial_value == 0; });
    arrays_->fill(fast_init && zero ? masters_ : count_,
                  [&](std::size_t first, std::size_t elements, std::span<const std::span<float>> tile) {
                      const auto set_masters = [&](std::size_t i, std::size_t begin, std::size_t in_tile,
                                                   std::size_t count) {
                          const View masters = as_view(tile[0].subspan(in_tile, count));
                          for_each_read(weights(i), begin, count, [&](std::size_t offset, View part) {
                              copy(part, masters.part(offset - begin, part.elements));
                          });
                      };
                      if (masters_ != 0) for_each_overlap(segments, first, elements, set_masters);
                      for (std::size_t k = masters_; k < tile.size(); ++k)
                          std::ranges::fill(tile[k], states[k - masters_].initial_value);
                  });
}

}  // namespace dszero
