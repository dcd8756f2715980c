// SPDX-License-Identifier: MIT
//
// What the engine asks of whatever connects the ranks: three collectives that can be
// started and waited for later. The blocking calls, all_reduce and barrier are written
// once, below, on top of these. Ranks are numbered 0 to size() - 1, and every rank starts
// the same collectives in the same order; that is all the coordination there is.
#pragma once

#include <dszero/engine/scalar.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <type_traits>
#include <vector>

namespace dszero {

/// Elements [begin, begin + elements) of a flat buffer belong to `rank`.
/// A list of shares says who owns what: in any order, any number per rank (or none), of any
/// length (or empty), not overlapping. Elements that no share names take no part. A rank's
/// own shares, one behind the other in the order of the list, are its packed shares.
struct Share {
    int rank = 0;
    std::size_t begin = 0;
    std::size_t elements = 0;

    friend bool operator==(const Share&, const Share&) = default;
};

/// Anything that can be moved as bytes; sums are for Scalars only.
template <typename T>
concept Sendable = std::is_trivially_copyable_v<T>;

/// A collective that was started. Until wait() returns (or done() says true), its input must
/// not be written, and its output neither read nor written. Destroying it waits, too.
template <typename W>
concept Work = std::movable<W> && requires(W work) {
    work.wait();
    { work.done() } -> std::convertible_to<bool>;
};

enum class Collective : unsigned char { all_reduce, reduce_scatter, all_gather, broadcast, control };

/// What one rank did of one kind since it began. Types other than Scalars (sums for the
/// norm, flags, barriers) count as Collective::control, in elements of one byte.
struct TrafficCount {
    std::uint64_t calls = 0;
    std::uint64_t elements = 0;       ///< Of all shares together; the buffer's for all_reduce and broadcast.
    std::uint64_t bytes = 0;          ///< The same in bytes.
    std::uint64_t sent_elements = 0;  ///< Of these, what this rank sent to others, each counted once.
    std::uint64_t sent_bytes = 0;
    std::uint64_t done_bytes = 0;  ///< Of `bytes`, those of collectives that are complete by now.
};

struct Traffic {
    std::array<TrafficCount, 5> counts;

    TrafficCount& operator[](Collective kind) { return counts[static_cast<std::size_t>(kind)]; }
    const TrafficCount& operator[](Collective kind) const { return counts[static_cast<std::size_t>(kind)]; }
};

/// The contract. For T in float, bf16, fp16, and Sendable T where no sum is taken:
///
///   start_reduce_scatter(in, out, shares)  `in` has the same length on every rank. Each
///       element of a share becomes the sum over all ranks, added in rank order (16-bit
///       types in float, rounded once); `out` receives this rank's packed shares. `out` may
///       be this rank's share within `in` if it has only one.
///   start_all_gather(in, out, shares)  `in` is this rank's packed shares; every share, from
///       its owner, goes to its place in `out`; the rest of `out` stays as it was. `in` may
///       be this rank's share within `out` if it has only one.
///   start_broadcast(data, root)  `data` becomes root's on every rank.
///   traffic()  What this rank has started so far.
///
/// Lists of shares may be gone once the call returns. An error on one rank must reach the
/// others as an exception; none may be left waiting.
template <typename C>
concept Communicator = requires(C& comm, std::span<const float> in, std::span<float> out,
                                std::span<const bf16> in_bf16, std::span<bf16> out_bf16,
                                std::span<const fp16> in_fp16, std::span<fp16> out_fp16,
                                std::span<const std::byte> in_bytes, std::span<std::byte> out_bytes,
                                std::span<const Share> shares) {
    { comm.rank() } -> std::convertible_to<int>;
    { comm.size() } -> std::convertible_to<int>;
    { comm.traffic() } -> std::convertible_to<const Traffic&>;
    { comm.start_reduce_scatter(in, out, shares) } -> Work;
    { comm.start_reduce_scatter(in_bf16, out_bf16, shares) } -> Work;
    { comm.start_reduce_scatter(in_fp16, out_fp16, shares) } -> Work;
    { comm.start_all_gather(in, out, shares) } -> Work;
    { comm.start_all_gather(in_bf16, out_bf16, shares) } -> Work;
    { comm.start_all_gather(in_fp16, out_fp16, shares) } -> Work;
    { comm.start_all_gather(in_bytes, out_bytes, shares) } -> Work;
    { comm.start_broadcast(out, 0) } -> Work;
    { comm.start_broadcast(out_bytes, 0) } -> Work;
};

// ---- Shares ----

/// `elements` cut into `ranks` pieces of ceil(elements / ranks), the last ones shorter or
/// empty: one share per rank, in order.
inline std::vector<Share> equal_shares(std::size_t elements, int ranks) {
    const std::size_t count = static_cast<std::size_t>(ranks);
    const std::size_t piece = elements / count + (elements % count != 0);
    std::vector<Share> shares;
    shares.reserve(count);
    for (std::size_t r = 0; r < count; ++r) {
        const std::size_t begin = piece * r < elements ? piece * r : elements;
        const std::size_t end = piece < elements - begin ? begin + piece : elements;
        shares.push_back({static_cast<int>(r), begin, end - begin});
    }
    return shares;
}

/// How many elements the packed shares of `rank` have.
inline std::size_t elements_of(std::span<const Share> shares, int rank) {
    std::size_t elements = 0;
    for (const Share& share : shares) elements += share.rank == rank ? share.elements : 0;
    return elements;
}

// ---- Blocking calls ----

template <Communicator C, Scalar T>
void reduce_scatter(C& comm, std::type_identity_t<std::span<const T>> in, std::span<T> out,
                    std::span<const Share> shares) {
    comm.start_reduce_scatter(in, out, shares).wait();
}

template <Communicator C, Sendable T>
void all_gather(C& comm, std::type_identity_t<std::span<const T>> in, std::span<T> out,
                std::span<const Share> shares) {
    comm.start_all_gather(in, out, shares).wait();
}

template <Communicator C, Sendable T>
void broadcast(C& comm, std::span<T> data, int root) {
    comm.start_broadcast(data, root).wait();
}

/// `data` becomes the sum over all ranks, on every rank and with the same bits. A
/// communicator that does it faster in one go has a start_all_reduce(data).
template <Communicator C, Scalar T>
void all_reduce(C& comm, std::span<T> data) {
    if constexpr (requires { comm.start_all_reduce(data); }) {
        comm.start_all_reduce(data).wait();
    } else {
        const std::vector<Share> shares = equal_shares(data.size(), comm.size());
        const Share& own = shares[static_cast<std::size_t>(comm.rank())];
        const std::span<T> piece = data.subspan(own.begin, own.elements);
        reduce_scatter(comm, data, piece, shares);
        all_gather(comm, piece, data, shares);
    }
}

/// One value from each rank, in rank order: for facts about ranks, not for bulk. (A flag is
/// sent as a char: std::vector<bool> has no bools to write to.)
template <Communicator C, Sendable T>
requires(!std::same_as<T, bool>) std::vector<T> all_gather_values(C& comm, const T& value) {
    const std::size_t ranks = static_cast<std::size_t>(comm.size());
    std::vector<T> values(ranks);
    const auto* bytes = reinterpret_cast<const std::byte*>(&value);
    all_gather(comm, std::span(bytes, sizeof(T)), std::as_writable_bytes(std::span(values)),
               equal_shares(sizeof(T) * ranks, comm.size()));
    return values;
}

/// Merges one value per rank, in rank order, into one that is the same on every rank; for
/// an ExactSum, the sum over all ranks.
template <Communicator C, Sendable T>
requires requires(T& all, const T& one) { all.merge(one); }
T all_merge(C& comm, const T& value) {
    const std::vector<T> values = all_gather_values(comm, value);
    T all = values.front();
    for (std::size_t r = 1; r < values.size(); ++r) all.merge(values[r]);
    return all;
}

/// Returns once every rank has called it.
template <Communicator C>
void barrier(C& comm) {
    all_gather_values(comm, std::byte{});
}

}  // namespace dszero
