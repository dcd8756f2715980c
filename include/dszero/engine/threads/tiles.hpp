// SPDX-License-Identifier: MIT
//
// One collective among ranks that share memory, cut into tiles that any thread can carry
// out, each on its own. There are two kinds of tile: one sums a stretch over all ranks, one
// copies a stretch from its owner. Posting and waiting are work_board.hpp's.
#pragma once

#include <dszero/engine/communicator.hpp>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// What a tile needs to know of T. One object per type, so its address is the type.
struct ElementType {
    std::size_t bytes;
    std::string_view name;
    /// out[k][i] = in[0][i] + in[1][i] + …, for every k; an out may be an in. Null: no sums.
    void (*sum)(std::span<const void* const> in, std::span<void* const> out, std::size_t elements);
};

/// What one rank says about a collective when it starts it.
struct Posting {
    Collective kind = Collective::all_reduce;
    const ElementType* type = nullptr;
    const void* in = nullptr;
    void* out = nullptr;
    std::size_t elements = 0;  ///< Of the whole buffer, for all_reduce and broadcast.
    int root = 0;
    std::span<const Share> shares;
};

/// What a thread needs while it carries out tiles.
struct TileScratch {
    std::vector<const void*> in;
    std::vector<void*> out;

    void resize(std::size_t ranks) {
        in.resize(ranks);
        out.resize(ranks);
    }
};

class TiledWork {
public:
    static constexpr std::size_t tile_bytes = std::size_t{1} << 18;

    void resize(std::size_t ranks);
    void set(std::size_t rank, const Posting& posting);
    /// Once every rank has set its posting: cuts the tiles, or throws std::logic_error if the
    /// ranks do not mean the same collective. `ticket` is for the message.
    void prepare(std::uint64_t ticket);

    std::size_t tiles() const { return tiles_; }
    /// All bytes read or written, roughly.
    std::size_t bytes() const { return total_ * type_bytes() * postings_.size(); }
    /// Tiles [first, second) are the part of this rank: those that concern it most, or an equal number.
    std::pair<std::size_t, std::size_t> part(std::size_t rank) const {
        return {tiles_ * rank / postings_.size(), tiles_ * (rank + 1) / postings_.size()};
    }
    void carry_out(std::size_t tile, TileScratch& scratch) const;

private:
    struct Piece {
        Share share;
        std::size_t packed;  ///< Where it begins in its owner's packed shares.
        std::size_t before;  ///< Elements of all pieces before it.
    };

    std::size_t type_bytes() const { return postings_.front().type->bytes; }
    const std::byte* in(std::size_t rank, std::size_t element) const {
        return static_cast<const std::byte*>(postings_[rank].in) + element * type_bytes();
    }
    std::byte* out(std::size_t rank, std::size_t element) const {
        return static_cast<std::byte*>(postings_[rank].out) + element * type_bytes();
    }
    void sum(const Piece& piece, std::size_t skip, std::size_t elements, TileScratch& scratch) const;
    void copy(const Piece& piece, std::size_t skip, std::size_t elements, std::size_t to_rank) const;

    std::vector<Posting> postings_;
    std::vector<std::vector<Share>> shares_;
    std::vector<Piece> pieces_;
    std::vector<std::size_t> packed_;  ///< Per rank, while pieces are laid out.
    std::size_t total_ = 0;            ///< Elements of all pieces.
    std::size_t tile_elements_ = 1;
    std::size_t tiles_per_copy_ = 0;  ///< Tiles of the whole; a gather has as many for each rank.
    std::size_t tiles_ = 0;
    bool sums_ = false;
};

// ---- Implementation ----

/// Sums of 64 elements at a time, in registers.
template <Scalar T>
void sum_in_rank_order(std::span<const void* const> in, std::span<void* const> out, std::size_t elements) {
    vectorised([=](auto lanes) __attribute__((always_inline)) {
        constexpr std::size_t N = lanes;
        constexpr std::size_t block = 64;
        std::array<Floats<N>, block / N> sums;
        const auto of = [](const void* base, std::size_t i) __attribute__((always_inline)) {
            return static_cast<const T*>(base) + i;
        };
        std::size_t i = 0;
        for (; i + block <= elements; i += block) {
            for (std::size_t k = 0; k < sums.size(); ++k) sums[k] = load_as_floats<N>(of(in[0], i + k * N));
            for (std::size_t r = 1; r < in.size(); ++r)
                for (std::size_t k = 0; k < sums.size(); ++k)
                    sums[k] = sums[k] + load_as_floats<N>(of(in[r], i + k * N));
            for (void* to : out)
                for (std::size_t k = 0; k < sums.size(); ++k)
                    store_from_floats<N>(sums[k], static_cast<T*>(to) + i + k * N);
        }
        for (; i < elements; i += N) {
            const std::size_t rest = std::min(N, elements - i);
            T padded[N] = {};
            std::memcpy(padded, of(in[0], i), rest * sizeof(T));
            Floats<N> sum = load_as_floats<N>(padded);
            for (std::size_t r = 1; r < in.size(); ++r) {
                std::memcpy(padded, of(in[r], i), rest * sizeof(T));
                sum = sum + load_as_floats<N>(padded);
            }
            store_from_floats<N>(sum, padded);
            for (void* to : out) std::memcpy(static_cast<T*>(to) + i, padded, rest * sizeof(T));
        }
    });
}

template <Sendable T>
inline constexpr ElementType element_type = [] {
    if constexpr (Scalar<T>)
        return ElementType{sizeof(T), scalar_name<T>(), sum_in_rank_order<T>};
    else
        return ElementType{sizeof(T), "other", nullptr};
}();

/// memcpy that does not first read what it overwrites, for more than fits in a cache.
inline void stream_copy(std::byte* to, const std::byte* from, std::size_t bytes) {
#if defined(__x86_64__)
    const std::size_t head = std::min(bytes, -reinterpret_cast<std::uintptr_t>(to) % 64);
    std::memcpy(to, from, head);
    std::size_t i = head;
    for (; i + 64 <= bytes; i += 64) {
        const auto* source = reinterpret_cast<const __m128i*>(from + i);
        auto* target = reinterpret_cast<__m128i*>(to + i);
        const __m128i a = _mm_loadu_si128(source);
        const __m128i b = _mm_loadu_si128(source + 1);
        const __m128i c = _mm_loadu_si128(source + 2);
        const __m128i d = _mm_loadu_si128(source + 3);
        _mm_stream_si128(target, a);
        _mm_stream_si128(target + 1, b);
        _mm_stream_si128(target + 2, c);
        _mm_stream_si128(target + 3, d);
    }
    stream_fence();
    std::memcpy(to + i, from + i, bytes - i);
#else
    std::memcpy(to, from, bytes);
#endif
}

inline constexpr std::size_t stream_from_bytes = std::size_t{1} << 23;  ///< Larger than a core's caches.

inline void TiledWork::resize(std::size_t ranks) {
    postings_.resize(ranks);
    shares_.resize(ranks);
    packed_.resize(ranks);
}

inline void TiledWork::set(std::size_t rank, const Posting& posting) {
    postings_[rank] = posting;
    shares_[rank].assign(posting.shares.begin(), posting.shares.end());
    postings_[rank].shares = shares_[rank];
}

inline void TiledWork::prepare(std::uint64_t ticket) {
    const Posting& first = postings_.front();
    for (std::size_t r = 1; r < postings_.size(); ++r) {
        const Posting& other = postings_[r];
        const char* difference = first.kind != other.kind           ? "kind"
                                 : first.type != other.type         ? "element type"
                                 : first.elements != other.elements ? "length"
                                 : first.root != other.root         ? "root"
                                 : shares_[0] != shares_[r]         ? "shares"
                                                                    : nullptr;
        if (difference != nullptr)
            throw std::logic_error("collective number " + std::to_string(ticket) + ": rank 0 and rank " +
                                   std::to_string(r) + " started it with different " + difference);
    }
    pieces_.clear();
    total_ = 0;
    std::fill(packed_.begin(), packed_.end(), 0);
    const auto add = [this](const Share& share) {
        if (share.elements == 0) return;
        std::size_t& packed = packed_[static_cast<std::size_t>(share.rank)];
        pieces_.push_back({share, packed, total_});
        packed += share.elements;
        total_ += share.elements;
    };
    sums_ = first.kind == Collective::all_reduce || first.kind == Collective::reduce_scatter;
    if (first.kind == Collective::all_reduce || first.kind == Collective::broadcast)
        add({first.root, 0, first.elements});
    else
        for (const Share& share : shares_[0]) add(share);
    tile_elements_ = std::max<std::size_t>(1, tile_bytes / type_bytes());
    tiles_per_copy_ = (total_ + tile_elements_ - 1) / tile_elements_;
    tiles_ = sums_ ? tiles_per_copy_ : tiles_per_copy_ * postings_.size();
}

inline void TiledWork::carry_out(std::size_t tile, TileScratch& scratch) const {
    std::size_t begin = (sums_ ? tile : tile % tiles_per_copy_) * tile_elements_;
    const std::size_t end = std::min(total_, begin + tile_elements_);
    auto piece = std::upper_bound(pieces_.begin(), pieces_.end(), begin,
                                  [](std::size_t element, const Piece& p) { return element < p.before; });
    for (--piece; begin < end; ++piece) {
        const std::size_t skip = begin - piece->before;
        const std::size_t elements = std::min(end - begin, piece->share.elements - skip);
        if (sums_)
            sum(*piece, skip, elements, scratch);
        else
            copy(*piece, skip, elements, tile / tiles_per_copy_);
        begin += elements;
    }
}

inline void TiledWork::sum(const Piece& piece, std::size_t skip, std::size_t elements,
                           TileScratch& scratch) const {
    const std::size_t ranks = postings_.size();
    const std::size_t at = piece.share.begin + skip;
    for (std::size_t r = 0; r < ranks; ++r) scratch.in[r] = in(r, at);
    std::size_t outs = 1;
    if (postings_.front().kind == Collective::all_reduce) {
        for (outs = 0; outs < ranks; ++outs) scratch.out[outs] = out(outs, at);
    } else {
        scratch.out[0] = out(static_cast<std::size_t>(piece.share.rank), piece.packed + skip);
    }
    postings_.front().type->sum(scratch.in, std::span(scratch.out).first(outs), elements);
}

inline void TiledWork::copy(const Piece& piece, std::size_t skip, std::size_t elements,
                            std::size_t to_rank) const {
    const std::byte* from = in(static_cast<std::size_t>(piece.share.rank), piece.packed + skip);
    std::byte* to = out(to_rank, piece.share.begin + skip);
    if (from == to) return;  // in place
    const std::size_t bytes = elements * type_bytes();
    if (total_ * type_bytes() >= stream_from_bytes)
        stream_copy(to, from, bytes);
    else
        std::memcpy(to, from, bytes);
}

}  // namespace dszero
