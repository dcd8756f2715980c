// SPDX-License-Identifier: MIT
//
// Where an optimizer's states or weights live when they are not simply memory: a fixed
// number of bytes, read and written at byte offsets, asynchronously. Here are the contract
// and a store in memory; file_store.hpp and, in dszero::uring, uring_store.hpp are on disk;
// examples/your_store.cpp shows how to write another. The engine sees any of them as an
// ErasedStore (erased_store.hpp).
#pragma once

#include <dszero/engine/memory.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>

namespace dszero {

/// A request under way, as its store numbers it.
using StoreTicket = std::uint64_t;

/// The contract. A store is size() bytes, zero at first.
///
///   size()       In bytes; never changes.
///   alignment()  A power of two. Offset, length and memory address of each request are
///                multiples of it. 1: any will do.
///   name()       What and where it is, for messages.
///   start_read(offset, to), start_write(offset, from)
///                Begin to move to.size() or from.size() bytes, which lie inside the store,
///                and return a ticket. Until wait() is through with that, the memory stays
///                where it is: not written, and if it is being read into, not read. Requests
///                complete in any order; the caller never has two under way that touch the
///                same bytes of the store, unless both read.
///   wait(ticket) Waits for that request, once for each, and returns how many bytes it moved.
///                All of them, unless the store's author forgot that calls can fall short:
///                then ErasedStore makes it an error. Throws std::system_error, with path and
///                operation, where the bytes cannot be moved; other requests go on.
///
/// One thread at a time uses a store. Destroying it waits for what is still under way. Some
/// stores gain from knowing the memory that many requests will use; they also have
///
///   register_memory(memory)  From now on most requests are within it; it is there until
///                            register_memory({}), or until the store is gone. Returns a
///                            std::error_code: why it did not help.
template <typename S>
concept Store = requires(S& store, std::uint64_t offset, std::span<std::byte> to,
                         std::span<const std::byte> from, StoreTicket ticket) {
    { store.size() } -> std::convertible_to<std::uint64_t>;
    { store.alignment() } -> std::convertible_to<std::size_t>;
    { store.name() } -> std::convertible_to<std::string>;
    { store.start_read(offset, to) } -> std::convertible_to<StoreTicket>;
    { store.start_write(offset, from) } -> std::convertible_to<StoreTicket>;
    { store.wait(ticket) } -> std::convertible_to<std::size_t>;
};

/// A store in memory: its requests are complete when they have started.
class MemoryStore {
public:
    MemoryStore(Account& account, Purpose purpose, std::size_t bytes) : bytes_(account, purpose, bytes) {}

    std::uint64_t size() const { return bytes_.size(); }
    std::size_t alignment() const { return 1; }
    std::string name() const { return "memory"; }

    StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) {
        if (!to.empty()) std::memcpy(to.data(), bytes_.data() + offset, to.size());
        return to.size();
    }
    StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) {
        if (!from.empty()) std::memcpy(bytes_.data() + offset, from.data(), from.size());
        return from.size();
    }
    std::size_t wait(StoreTicket moved) { return moved; }

private:
    Buffer<std::byte> bytes_;
};

static_assert(Store<MemoryStore>);

}  // namespace dszero
