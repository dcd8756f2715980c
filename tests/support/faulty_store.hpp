// SPDX-License-Identifier: MIT
//
// A store in memory that moves bytes as late as it may, and fails when it is told to.
#pragma once

#include <dszero/engine/store.hpp>

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <system_error>

namespace test {

class FaultyStore {
public:
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    FaultyStore(dszero::Account& account, std::uint64_t bytes)
        : bytes_(account, dszero::Purpose::staging, static_cast<std::size_t>(bytes)) {}

    bool moves_late = false;       ///< in wait(), the last request first
    bool short_count = false;      ///< failing is moving half and saying so, else it is EIO
    std::size_t fails_at = never;  ///< this request, counted from 0

    std::size_t started() const { return started_; }
    std::size_t under_way() const { return requests_.size(); }

    std::uint64_t size() const { return bytes_.size(); }
    std::size_t alignment() const { return 1; }
    std::string name() const { return "a faulty store"; }

    dszero::StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) {
        return start({offset, to, {}, false});
    }
    dszero::StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) {
        return start({offset, {}, from, false});
    }
    std::size_t wait(dszero::StoreTicket ticket) {
        for (auto last = requests_.rbegin(); last != requests_.rend(); ++last) move(last->second);
        const auto node = requests_.extract(ticket);
        const std::size_t bytes = node.mapped().to.size() + node.mapped().from.size();
        if (ticket != fails_at) return bytes;
        if (short_count) return bytes / 2;
        throw std::system_error(std::make_error_code(std::errc::io_error), "a faulty store");
    }

private:
    struct Request {
        std::uint64_t offset;
        std::span<std::byte> to;
        std::span<const std::byte> from;
        bool moved;
    };

    dszero::StoreTicket start(const Request& request) {
        Request& kept = requests_.emplace(started_, request).first->second;
        if (!moves_late) move(kept);
        return started_++;
    }
    void move(Request& request) {
        if (request.moved) return;
        const std::span<std::byte> place =
            bytes_.span().subspan(request.offset, request.to.size() + request.from.size());
        std::copy_n(place.begin(), request.to.size(), request.to.begin());
        std::copy(request.from.begin(), request.from.end(), place.begin());
        request.moved = true;
    }

    dszero::Buffer<std::byte> bytes_;
    std::map<dszero::StoreTicket, Request> requests_;
    std::size_t started_ = 0;
};

static_assert(dszero::Store<FaultyStore>);

}  // namespace test
