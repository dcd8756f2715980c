// SPDX-License-Identifier: MIT
//
// A Store behind virtual calls, one per request of some hundred KiB: the engine need not
// know which it is. It checks every request before it starts and every byte count after
// it, whatever the store does, and counts what moved.
#pragma once

#include <dszero/engine/store.hpp>

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dszero {

/// What moved in one direction since the store was made.
struct StoreTraffic {
    std::uint64_t requests = 0;
    std::uint64_t bytes = 0;
    double seconds = 0;  ///< during which at least one request had started and was not yet waited for

    double bytes_per_second() const { return seconds > 0 ? static_cast<double>(bytes) / seconds : 0; }
};

class ErasedStore {
    struct Held;
    struct Request {
        enum Direction : unsigned char { reading, writing } direction;
        std::uint64_t offset;
        std::size_t bytes;
    };

public:
    template <Store S>
    explicit ErasedStore(std::unique_ptr<S> store) : held_(std::make_unique<Holder<S>>(std::move(store))) {}

    /// A request under way, which must not outlive its store. Destroying it waits for it, and forgets an
    /// error: no memory goes while something still moves into it.
    class Transfer {
    public:
        Transfer() = default;
        Transfer(Transfer&& other) noexcept
            : held_(std::exchange(other.held_, nullptr)), request_(other.request_), ticket_(other.ticket_) {}
        Transfer& operator=(Transfer&& other) noexcept {
            const Transfer old(std::move(*this));
            held_ = std::exchange(other.held_, nullptr);
            request_ = other.request_;
            ticket_ = other.ticket_;
            return *this;
        }
        ~Transfer();

        /// Returns when all bytes have moved, or throws. Does nothing the second time.
        void wait();

    private:
        friend class ErasedStore;
        Transfer(Held& held, const Request& request, StoreTicket ticket)
            : held_(&held), request_(request), ticket_(ticket) {}

        Held* held_ = nullptr;
        Request request_{};
        StoreTicket ticket_ = 0;
    };

    std::uint64_t size() const { return held_->size; }
    std::size_t alignment() const { return held_->alignment; }
    std::string name() const { return held_->name(); }

    /// Throw std::invalid_argument for what is misaligned, and std::out_of_range for what is outside.
    [[nodiscard]] Transfer start_read(std::uint64_t offset, std::span<std::byte> to);
    [[nodiscard]] Transfer start_write(std::uint64_t offset, std::span<const std::byte> from);
    void read(std::uint64_t offset, std::span<std::byte> to) { start_read(offset, to).wait(); }
    void write(std::uint64_t offset, std::span<const std::byte> from) { start_write(offset, from).wait(); }

    /// For stores that have it; the others have nothing against it.
    std::error_code register_memory(std::span<std::byte> memory) { return held_->register_memory(memory); }

    const StoreTraffic& reads() const { return held_->counts[Request::reading].traffic; }
    const StoreTraffic& writes() const { return held_->counts[Request::writing].traffic; }

private:
    struct Count {
        StoreTraffic traffic;
        std::size_t under_way = 0;
        std::chrono::steady_clock::time_point since;

        void start() {
            if (under_way++ == 0) since = std::chrono::steady_clock::now();
        }
        void end() {
            if (--under_way != 0) return;
            traffic.seconds +=
                std::chrono::duration<double>(std::chrono::steady_clock::now() - since).count();
        }
    };
    struct Held {
        std::uint64_t size = 0;
        std::size_t alignment = 1;
        std::array<Count, 2> counts;

        virtual ~Held() = default;
        virtual std::string name() const = 0;
        virtual StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) = 0;
        virtual StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) = 0;
        virtual std::size_t wait(StoreTicket ticket) = 0;
        virtual std::error_code register_memory(std::span<std::byte> memory) = 0;

        std::string text(const Request& request) const;
        void check(const Request& request, const void* memory) const;
    };
    template <Store S>
    struct Holder final : Held {
        std::unique_ptr<S> store;

        explicit Holder(std::unique_ptr<S> s) : store(std::move(s)) {
            this->size = store->size();
            this->alignment = store->alignment();
        }
        std::string name() const override { return store->name(); }
        StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) override {
            return store->start_read(offset, to);
        }
        StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) override {
            return store->start_write(offset, from);
        }
        std::size_t wait(StoreTicket ticket) override { return store->wait(ticket); }
        std::error_code register_memory(std::span<std::byte> memory) override {
            if constexpr (requires { store->register_memory(memory); })
                return store->register_memory(memory);
            else
                return {};
        }
    };

    std::unique_ptr<Held> held_;
};

/// Makes a store of at least `bytes` in a directory (the configuration's nvme_path). What turned out
/// otherwise than it should, without harm to the results, goes into `notes`, which the engine's report
/// repeats. open_file_store (file_store.hpp) is one, and open_uring_store (uring_store.hpp).
using StoreFactory = std::function<ErasedStore(const std::filesystem::path& directory, std::uint64_t bytes,
                                               std::vector<std::string>& notes)>;

/// Where a store is to be made, and how.
struct StorePlace {
    StoreFactory open;
    std::filesystem::path directory;
};

// ---- Implementation ----

inline std::string ErasedStore::Held::text(const Request& request) const {
    return name() + (request.direction == Request::reading ? ": reading " : ": writing ") +
           std::to_string(request.bytes) + " bytes at offset " + std::to_string(request.offset);
}

inline void ErasedStore::Held::check(const Request& request, const void* memory) const {
    if (request.offset > size || request.bytes > size - request.offset)
        throw std::out_of_range(text(request) + ": it has only " + std::to_string(size) + " bytes");
    if ((request.offset | request.bytes | reinterpret_cast<std::uintptr_t>(memory)) % alignment != 0)
        throw std::invalid_argument(text(request) + ": offset, length and address must be multiples of " +
                                    std::to_string(alignment) + " bytes");
}

inline ErasedStore::Transfer ErasedStore::start_read(std::uint64_t offset, std::span<std::byte> to) {
    const Request request{Request::reading, offset, to.size()};
    held_->check(request, to.data());
    const StoreTicket ticket = held_->start_read(offset, to);
    held_->counts[Request::reading].start();
    return Transfer(*held_, request, ticket);
}

inline ErasedStore::Transfer ErasedStore::start_write(std::uint64_t offset, std::span<const std::byte> from) {
    const Request request{Request::writing, offset, from.size()};
    held_->check(request, from.data());
    const StoreTicket ticket = held_->start_write(offset, from);
    held_->counts[Request::writing].start();
    return Transfer(*held_, request, ticket);
}

inline void ErasedStore::Transfer::wait() {
    Held* const held = std::exchange(held_, nullptr);
    if (held == nullptr) return;
    Count& count = held->counts[request_.direction];
    std::size_t moved = 0;
    try {
        moved = held->wait(ticket_);
    } catch (...) {
        count.end();
        throw;
    }
    count.end();
    ++count.traffic.requests;
    count.traffic.bytes += moved;
    if (moved != request_.bytes)
        throw std::system_error(std::make_error_code(std::errc::io_error),
                                held->text(request_) + " moved " + std::to_string(moved));
}

inline ErasedStore::Transfer::~Transfer() {
    try {
        wait();
    } catch (...) {
        // whoever wanted to know has asked wait()
    }
}

}  // namespace dszero
