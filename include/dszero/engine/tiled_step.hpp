// SPDX-License-Identifier: MIT
//
// The optimizer over a Store. Master weights and states pass through a small pool of
// memory, tile by tile: while one tile is computed, the next ones come in and the last
// ones go out. A tile's bits are those that the whole would give, so results are equal to
// those of a step in memory. TiledArrays moves, tiled_step() computes.
#pragma once

#include <dszero/engine/parts/erased_optimizer.hpp>
#include <dszero/engine/storage/erased_store.hpp>
#include <dszero/engine/storage/operand.hpp>
#include <dszero/layout/partition.hpp>

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dszero {

/// How much passes through memory at a time. The names of offload_optimizer.
struct Tiling {
    std::size_t tile_elements = std::size_t{1} << 17;  ///< of each array: requests of 512 KiB
    std::size_t buffer_count = 4;                      ///< tiles in memory; any number, 0 counts as 1
    bool pipeline_read = true;                         ///< tiles come in while others are computed
    bool pipeline_write = true;                        ///< and go out
    bool pin_memory = false;                           ///< the pool is locked in memory
};

/// Several equally long arrays of floats in a store: each is a stretch of its own, one behind the other.
class TiledArrays {
public:
    /// Stretches and tiles are whole blocks, so that direct I/O is possible.
    static constexpr std::size_t block_bytes = page_bytes;

    /// What the store has to hold, and what the pool will take from the host's account; in bytes.
    static std::uint64_t store_bytes(std::size_t arrays, std::size_t elements);
    static std::size_t staging_bytes(std::size_t arrays, std::size_t elements, const Tiling& tiling);

    /// `store` has at least store_bytes(). Memory that could not be registered goes into `notes`.
    TiledArrays(ErasedStore store, std::size_t arrays, std::size_t elements, const Tiling& tiling,
                Account& host, std::vector<std::string>& notes);
    TiledArrays(const TiledArrays&) = delete;
    TiledArrays& operator=(const TiledArrays&) = delete;

    std::size_t arrays() const { return arrays_; }
    std::size_t elements() const { return elements_; }
    const ErasedStore& store() const { return store_; }

    /// Gets elements [first, first + count) of every array, to read and to change.
    using OnTile =
        std::function<void(std::size_t first, std::size_t count, std::span<const std::span<float>> arrays)>;

    /// Calls f with one tile after the other, from the first to the last. An error of f or of the store ends
    /// it: part of the tiles are changed then.
    void update(const OnTile& f) { pass(true, arrays_, f); }
    /// The same without reading, for the first `arrays`: what f gets is undefined, and all of it is to be
    /// written.
    void fill(std::size_t arrays, const OnTile& f) { pass(false, arrays, f); }
    void fill(const OnTile& f) { fill(arrays_, f); }

    /// Any part of one array. Not between tiles of a pass.
    void read(std::size_t array, std::size_t first, std::span<float> to);
    void write(std::size_t array, std::size_t first, std::span<const float> from);

private:
    /// One tile's place in the pool, and what moves into or out of it.
    struct Slot {
        std::vector<std::span<float>> buffers;  ///< by array
        std::vector<ErasedStore::Transfer> transfers;

        void wait() {
            for (ErasedStore::Transfer& transfer : transfers) transfer.wait();
            transfers.clear();
        }
    };
    struct Shape {
        std::size_t tile_elements;
        std::size_t slots;
    };

    static constexpr std::size_t in_blocks(std::size_t elements) {
        return round_up(elements, block_bytes / sizeof(float));
    }
    static Shape shape(std::size_t elements, const Tiling& tiling);

    std::size_t tile_count() const { return divide_up(elements_, shape_.tile_elements); }
    std::size_t length(std::size_t tile) const {
        return std::min(shape_.tile_elements, elements_ - tile * shape_.tile_elements);
    }
    std::uint64_t offset(std::size_t array, std::size_t tile) const {
        return (array * in_blocks(elements_) + tile * shape_.tile_elements) * sizeof(float);
    }
    /// A tile's bytes, its last block's padding included.
    std::span<std::byte> bytes(std::span<float> buffer, std::size_t tile) const {
        return std::as_writable_bytes(buffer.first(in_blocks(length(tile))));
    }
    std::vector<Slot> slots();
    void pass(bool read, std::size_t arrays, const OnTile& f);
    template <class F>
    void for_each_part(std::size_t array, std::size_t first, std::size_t count, const F& f);

    std::size_t arrays_;
    std::size_t elements_;
    Tiling tiling_;
    Shape shape_;
    Buffer<float> pool_;
    ErasedStore store_;  ///< gone before the pool
};

/// Calls f(segment, offset in it, offset in the stretch, elements) for what of each segment lies in the
/// stretch [first, first + elements).
template <class F>
void for_each_overlap(std::span<const ShardSegment> segments, std::size_t first, std::size_t elements,
                      const F& f) {
    const auto end_of = [](const ShardSegment& s) { return s.position + s.elements; };
    const auto ends_before = [&](const ShardSegment& s) { return end_of(s) <= first; };
    auto segment = std::partition_point(segments.begin(), segments.end(), ends_before);
    for (; segment != segments.end() && segment->position < first + elements; ++segment) {
        const std::size_t begin = std::max(first, segment->position);
        f(static_cast<std::size_t>(segment - segments.begin()), begin - segment->position, begin - first,
          std::min(first + elements, end_of(*segment)) - begin);
    }
}

/// One step of every segment, which are in the order of their positions. The arrays are the optimizer's
/// states, behind the master weights unless these are the weights (an fp32 model's). `scalars`: group ->
/// StepScalars; `gradients`: segment -> View; `weights`: segment -> Operand.
template <class Scalars, class Gradients, class Weights>
void tiled_step(TiledArrays& arrays, const ErasedOptimizer& optimizer, ThreadPool& pool,
                std::span<const ShardSegment> segments, const Scalars& scalars, const Gradients& gradients,
                const Weights& weights);

// ---- Implementation ----

inline std::uint64_t TiledArrays::store_bytes(std::size_t arrays, std::size_t elements) {
    return std::uint64_t{arrays} * in_blocks(elements) * sizeof(float);
}

/// Without any pipelining the whole pool is one tile: as few and as large requests as it allows.
inline TiledArrays::Shape TiledArrays::shape(std::size_t elements, const Tiling& tiling) {
    const std::size_t buffers = std::max<std::size_t>(1, tiling.buffer_count);
    const std::size_t tile = in_blocks(std::max<std::size_t>(1, tiling.tile_elements));
    const std::size_t whole = in_blocks(elements);
    if (whole == 0) return {tile, 0};
    if (!tiling.pipeline_read && !tiling.pipeline_write) return {std::min(tile * buffers, whole), 1};
    return {std::min(tile, whole), std::min(buffers, divide_up(whole, tile))};
}

inline std::size_t TiledArrays::staging_bytes(std::size_t arrays, std::size_t elements,
                                              const Tiling& tiling) {
    const Shape s = shape(elements, tiling);
    return s.slots * arrays * s.tile_elements * sizeof(float);
}

inline TiledArrays::TiledArrays(ErasedStore store, std::size_t arrays, std::size_t elements,
                                const Tiling& tiling, Account& host, std::vector<std::string>& notes)
    : arrays_(arrays),
      elements_(elements),
      tiling_(tiling),
      shape_(shape(elements, tiling)),
      pool_(host, Purpose::staging, staging_bytes(arrays, elements, tiling) / sizeof(float),
            tiling.pin_memory),
      store_(std::move(store)) {
    if (store_.size() < store_bytes(arrays, elements))
        throw std::invalid_argument(store_.name() + " has " + std::to_string(store_.size()) + " bytes, not " +
                                    std::to_string(store_bytes(arrays, elements)));
    if (block_bytes % store_.alignment() != 0)
        throw std::invalid_argument(store_.name() + ": an alignment of " +
                                    std::to_string(store_.alignment()) + " bytes is too large");
    const std::span<std::byte> memory = std::as_writable_bytes(pool_.span());
    if (const std::error_code refused = store_.register_memory(memory))
        notes.push_back(store_.name() + ": buffers are not registered with the kernel (" + refused.message() +
                        "); " + locked_memory_limit() + "; results are the same");
}

inline std::vector<TiledArrays::Slot> TiledArrays::slots() {
    std::vector<Slot> slots(shape_.slots);
    for (std::size_t s = 0; s < slots.size(); ++s)
        for (std::size_t a = 0; a < arrays_; ++a)
            slots[s].buffers.push_back(
                pool_.span().subspan((s * arrays_ + a) * shape_.tile_elements, shape_.tile_elements));
    return slots;
}

inline void TiledArrays::pass(bool read, std::size_t arrays, const OnTile& f) {
    // Of the slots, one is computed, `ahead` are filled, and the rest are emptied.
    const std::size_t ahead = !read || !tiling_.pipeline_read ? 0
                              : tiling_.pipeline_write        ? shape_.slots / 2
                                                              : shape_.slots - 1;
    const std::size_t tiles = tile_count();
    std::vector<Slot> slots = this->slots();  // none without tiles
    std::vector<std::span<float>> valid(arrays);
    for (std::size_t tile = 0, next = 0; tile < tiles; ++tile) {
        for (; next < std::min(tiles, tile + ahead + 1); ++next) {
            Slot& slot = slots[next % slots.size()];
            slot.wait();
            for (std::size_t a = 0; a < arrays_ && read; ++a)
                slot.transfers.push_back(store_.start_read(offset(a, next), bytes(slot.buffers[a], next)));
        }
        Slot& slot = slots[tile % slots.size()];
        slot.wait();
        for (std::size_t a = 0; a < arrays; ++a) valid[a] = slot.buffers[a].first(length(tile));
        f(tile * shape_.tile_elements, length(tile), valid);
        for (std::size_t a = 0; a < arrays; ++a)
            slot.transfers.push_back(store_.start_write(offset(a, tile), bytes(slot.buffers[a], tile)));
        if (!tiling_.pipeline_write) slot.wait();
    }
    for (Slot& slot : slots) slot.wait();
}

/// Calls f(bytes in the store, where they pass through, the part's place in that, its place in the whole).
template <class F>
void TiledArrays::for_each_part(std::size_t array, std::size_t first, std::size_t count, const F& f) {
    assert(array < arrays_ && first <= elements_ && count <= elements_ - first);
    for (std::size_t done = 0; done < count;) {
        const std::size_t tile = (first + done) / shape_.tile_elements;
        const std::size_t skip = (first + done) % shape_.tile_elements;
        const std::size_t part = std::min(count - done, length(tile) - skip);
        f(offset(array, tile), bytes(pool_.span().first(shape_.tile_elements), tile),
          pool_.span().subspan(skip, part), done);
        done += part;
    }
}

inline void TiledArrays::read(std::size_t array, std::size_t first, std::span<float> to) {
    for_each_part(array, first, to.size(),
                  [&](std::uint64_t at, std::span<std::byte> tile, std::span<float> part, std::size_t done) {
                      store_.read(at, tile);
                      std::copy(part.begin(), part.end(), to.begin() + static_cast<std::ptrdiff_t>(done));
                  });
}

inline void TiledArrays::write(std::size_t array, std::size_t first, std::span<const float> from) {
    for_each_part(array, first, from.size(),
                  [&](std::uint64_t at, std::span<std::byte> tile, std::span<float> part, std::size_t done) {
                      if (part.size_bytes() != tile.size()) store_.read(at, tile);
                      const auto begin = from.begin() + static_cast<std::ptrdiff_t>(done);
                      std::copy_n(begin, part.size(), part.begin());
                      store_.write(at, tile);
                  });
}

template <class Scalars, class Gradients, class Weights>
void tiled_step(TiledArrays& arrays, const ErasedOptimizer& optimizer, ThreadPool& pool,
                std::span<const ShardSegment> segments, const Scalars& scalars, const Gradients& gradients,
                const Weights& weights) {
    const std::size_t states = optimizer.states().size();
    const bool masters_in_store = arrays.arrays() == states + 1;
    assert(masters_in_store || arrays.arrays() == states);
    arrays.update([&](std::size_t first, std::size_t elements, std::span<const std::span<float>> tile) {
        for_each_overlap(segments, first, elements,
                         [&](std::size_t i, std::size_t begin, std::size_t in_tile, std::size_t count) {
                             const Operand operand = weights(i);
                             for_each_written(operand, begin, count, [&](std::size_t offset, View part) {
                                 const auto of = [&](std::size_t array) {
                                     return tile[array].subspan(in_tile + offset - begin, part.elements);
                                 };
                                 StepViews views{{}, {}, gradients(i).part(offset, part.elements), {}};
                                 views.master = masters_in_store ? of(0) : part.template as<float>();
                                 for (std::size_t k = 0; k < states; ++k)
                                     views.states[k] = of(k + (masters_in_store ? 1 : 0));
                                 if (masters_in_store) views.weights = part;
                                 optimizer.step(pool, scalars(segments[i].group), views);
                             });
                         });
    });
}

}  // namespace dszero
