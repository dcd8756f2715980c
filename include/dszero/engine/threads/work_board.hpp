// SPDX-License-Identifier: MIT
//
// The board on which the ranks of one process post collectives. A collective is ready once
// every rank has posted it; then it is a row of tiles, and whoever comes along carries them
// out: a rank that starts something else does its own part, a rank that waits does anything
// that is left, helper threads (if there are any) do the rest. So work proceeds while the
// ranks compute, and nobody sleeps while there is something to do for what it waits for.
// Lock-free, except for going to sleep. thread_communicator.hpp is the door to it.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/threads/tiles.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

namespace dszero {

/// On every other rank, when one has failed. what(): "rank 2 failed: <its message>".
class RankError : public std::runtime_error {
public:
    RankError(int failed_rank, const std::string& message)
        : std::runtime_error("rank " + std::to_string(failed_rank) + " failed: " + message),
          rank_(failed_rank) {}

    int rank() const { return rank_; }

private:
    int rank_;
};

class WorkBoard {
public:
    /// Collectives that a rank can have started without waiting; one more waits for the oldest.
    static constexpr std::size_t capacity = 64;
    /// Up to this many bytes, the last rank to post carries a collective out at once.
    static constexpr std::size_t small_bytes = std::size_t{1} << 15;

    WorkBoard(int ranks, unsigned helpers);
    WorkBoard(const WorkBoard&) = delete;
    WorkBoard& operator=(const WorkBoard&) = delete;

    int ranks() const { return static_cast<int>(ranks_); }

    // Each rank calls these from its own thread, with tickets 0, 1, 2, …

    /// Posts its ticket-th collective; ticket - capacity must have been released.
    void post(std::size_t rank, std::uint64_t ticket, const Posting& posting);
    /// Carries out what can be done now without waiting: of tickets [from, to), this rank's part.
    void lend_a_hand(std::size_t rank, std::uint64_t from, std::uint64_t to);
    bool is_finished(std::uint64_t ticket) const;
    /// Returns when it is finished; throws RankError if a rank fails before.
    void wait(std::size_t rank, std::uint64_t ticket);
    /// This rank will not ask for the ticket again.
    void release(std::uint64_t ticket);

    /// This rank's function has returned, having posted `posted` collectives. Throws if the world has ended:
    /// if this rank swallowed what interrupted it, that has to be told the others, who wait for it.
    void leave(std::size_t rank, std::uint64_t posted);
    /// An exception passes through an unfinished collective. Returns when nobody touches any
    /// rank's memory any more; nothing is carried out from now on. fail() must follow.
    void interrupt(std::size_t rank);
    /// The world has failed because of `rank`. True for the first call, whose message counts.
    bool fail(std::size_t rank, const std::string& message);
    /// Throws if it has.
    void check(std::size_t rank);

    bool has_failed() const { return state_.load() == State::failed; }
    RankError failure() const { return {static_cast<int>(failed_rank_), message_}; }  ///< If has_failed().

    /// The body of helper thread number `helper`; returns after stop().
    void help(std::size_t helper);
    void stop();

private:
    enum class State : unsigned char { running, interrupted, failed };

    struct alignas(64) Next {
        std::atomic<std::size_t> tile{0};  ///< Of this rank's part, the first that nobody took.
    };
    /// One collective, from the first rank that posts it to the last that releases it.
    struct Slot {
        alignas(64) std::atomic<std::uint64_t> posted{0};    ///< By how many ranks, over all generations.
        alignas(64) std::atomic<std::uint64_t> released{0};  ///< By how many participants, likewise.
        alignas(64) std::atomic<std::uint64_t> ready{0};     ///< ticket + 1 once all have posted it.
        alignas(64) std::atomic<std::uint64_t> finished{0};  ///< ticket + 1 once it is carried out.
        alignas(64) std::atomic<std::size_t> tiles_left{0};
        TiledWork work;
        std::vector<Next> next;  ///< Per rank.
    };
    struct alignas(64) Participant {
        std::atomic<bool> busy{false};  ///< Touches the ranks' memory.
        TileScratch scratch;
    };
    struct alignas(64) Departure {
        std::atomic<std::uint64_t> posted{~std::uint64_t{0}};
    };

    Slot& slot(std::uint64_t ticket) { return slots_[ticket % capacity]; }
    const Slot& slot(std::uint64_t ticket) const { return slots_[ticket % capacity]; }
    void carry_out(std::size_t participant, std::uint64_t ticket, std::size_t first_rank, std::size_t parts);
    void finish(Slot& slot, std::uint64_t ticket);
    template <typename Condition>
    bool wait_until(std::size_t rank, std::uint64_t ticket, const Condition& condition);
    void notify_changed();
    void fail_if_somebody_left(std::uint64_t ticket);
    void drain() const;

    const std::size_t ranks_;
    const std::size_t participants_;
    const int spins_;
    std::vector<Slot> slots_;
    std::vector<Participant> participant_;
    std::vector<Departure> departures_;
    std::atomic<std::uint32_t> left_{0};
    std::atomic<bool> stopping_{false};
    std::atomic<State> state_{State::running};
    std::atomic<std::size_t> interrupting_rank_{0};
    std::mutex failing_;
    std::size_t failed_rank_ = 0;
    std::string message_;
    alignas(64) std::atomic<std::uint32_t> changes_{0};  ///< What sleepers watch.
};

// ---- Implementation ----

inline void spin_pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
}

inline WorkBoard::WorkBoard(int ranks, unsigned helpers)
    : ranks_(static_cast<std::size_t>(ranks)),
      participants_(ranks_ + helpers),
      // Where ranks have to share a core, spinning takes it from the one that is waited for.
      spins_(participants_ <= std::thread::hardware_concurrency() ? 2000 : 20),
      slots_(capacity),
      participant_(participants_),
      departures_(ranks_) {
    for (Slot& s : slots_) {
        s.work.resize(ranks_);
        s.next = std::vector<Next>(ranks_);
    }
    for (Participant& p : participant_) p.scratch.resize(ranks_);
}

inline void WorkBoard::notify_changed() {
    changes_.fetch_add(1);
    changes_.notify_all();
}

/// False if the world ends first. Helpers wait too, with numbers from ranks() on.
template <typename Condition>
bool WorkBoard::wait_until(std::size_t self, std::uint64_t ticket, const Condition& condition) {
    for (int spin = 0; spin < spins_; ++spin) {
        if (condition()) return true;
        if (state_.load(std::memory_order_relaxed) != State::running) return false;
        spin_pause();
    }
    for (;;) {
        const std::uint32_t seen = changes_.load();
        if (condition()) return true;
        if (state_.load() != State::running || stopping_.load()) return false;
        if (self < ranks_ && left_.load() != 0) fail_if_somebody_left(ticket);
        changes_.wait(seen);
    }
}

inline void WorkBoard::post(std::size_t rank, std::uint64_t ticket, const Posting& posting) {
    check(rank);
    Slot& s = slot(ticket);
    const std::uint64_t generation = ticket / capacity;
    if (!wait_until(rank, ticket, [&] { return s.released.load() == generation * participants_; }))
        check(rank);
    s.work.set(rank, posting);
    if (s.posted.fetch_add(1) + 1 != (generation + 1) * ranks_) return;

    s.work.prepare(ticket);
    for (std::size_t r = 0; r < ranks_; ++r)
        s.next[r].tile.store(s.work.part(r).first, std::memory_order_relaxed);
    s.tiles_left.store(s.work.tiles(), std::memory_order_relaxed);
    s.ready.store(ticket + 1);
    // Small ones are done sooner than others are told about them.
    if (s.work.tiles() == 0)
        finish(s, ticket);
    else if (s.work.bytes() <= small_bytes)
        carry_out(rank, ticket, rank, ranks_);
    else
        notify_changed();
}

inline void WorkBoard::lend_a_hand(std::size_t rank, std::uint64_t from, std::uint64_t to) {
    for (std::uint64_t ticket = from; ticket < to; ++ticket) carry_out(rank, ticket, rank, 1);
}

/// Of a collective that is ready, the parts of `parts` ranks from first_rank on.
inline void WorkBoard::carry_out(std::size_t participant, std::uint64_t ticket, std::size_t first_rank,
                                 std::size_t parts) {
    Slot& s = slot(ticket);
    if (s.ready.load() != ticket + 1 || s.finished.load() == ticket + 1) return;
    Participant& self = participant_[participant];
    // Whoever wants everybody out sets the state, then looks at busy; here it is the other way round.
    self.busy.store(true);
    std::size_t done = 0;
    for (std::size_t p = 0; p < parts; ++p) {
        const std::size_t rank = (first_rank + p) % ranks_;
        const std::size_t end = s.work.part(rank).second;
        while (state_.load() == State::running && s.next[rank].tile.load(std::memory_order_relaxed) < end) {
            const std::size_t tile = s.next[rank].tile.fetch_add(1, std::memory_order_relaxed);
            if (tile >= end) break;
            s.work.carry_out(tile, self.scratch);
            ++done;
        }
    }
    self.busy.store(false);
    if (done != 0 && s.tiles_left.fetch_sub(done) == done) finish(s, ticket);
}

inline void WorkBoard::finish(Slot& s, std::uint64_t ticket) {
    s.finished.store(ticket + 1);
    notify_changed();
}

inline bool WorkBoard::is_finished(std::uint64_t ticket) const {
    return slot(ticket).finished.load() == ticket + 1;
}

inline void WorkBoard::wait(std::size_t rank, std::uint64_t ticket) {
    const Slot& s = slot(ticket);
    const auto finished = [&] { return s.finished.load() == ticket + 1; };
    if (finished()) return;
    if (!wait_until(rank, ticket, [&] { return s.ready.load() == ticket + 1; })) check(rank);
    carry_out(rank, ticket, rank, ranks_);
    if (!wait_until(rank, ticket, finished)) check(rank);
}

inline void WorkBoard::release(std::uint64_t ticket) {
    Slot& s = slot(ticket);
    if (s.released.fetch_add(1) + 1 == (ticket / capacity + 1) * participants_) notify_changed();
}

// ---- Ends ----

inline void WorkBoard::leave(std::size_t rank, std::uint64_t posted) {
    check(rank);
    departures_[rank].posted.store(posted);
    left_.fetch_add(1);
    notify_changed();
}

inline void WorkBoard::fail_if_somebody_left(std::uint64_t ticket) {
    for (std::size_t r = 0; r < ranks_; ++r)
        if (departures_[r].posted.load() <= ticket)
            fail(r, "it returned without taking part in collective number " + std::to_string(ticket));
}

inline void WorkBoard::drain() const {
    for (const Participant& p : participant_)
        while (p.busy.load()) std::this_thread::yield();
}

inline void WorkBoard::interrupt(std::size_t rank) {
    State expected = State::running;
    interrupting_rank_.store(rank);
    state_.compare_exchange_strong(expected, State::interrupted);
    notify_changed();
    drain();
}

inline bool WorkBoard::fail(std::size_t rank, const std::string& message) {
    {
        const std::lock_guard lock(failing_);
        if (state_.load() == State::failed) return false;
        failed_rank_ = rank;
        message_ = message;
        state_.store(State::failed);
    }
    notify_changed();
    return true;
}

inline void WorkBoard::check(std::size_t rank) {
    if (state_.load() == State::running) return;
    drain();
    // Whoever interrupted has a reason that is on its way here, unless it was swallowed.
    if (state_.load() == State::interrupted && interrupting_rank_.load() == rank)
        fail(rank, "it went on after an exception had passed through an unfinished collective");
    while (state_.load() != State::failed) {
        const std::uint32_t seen = changes_.load();
        if (state_.load() != State::failed) changes_.wait(seen);
    }
    throw failure();
}

inline void WorkBoard::help(std::size_t helper) {
    const std::size_t self = ranks_ + helper;
    for (std::uint64_t ticket = 0;; ++ticket) {
        Slot& s = slot(ticket);
        if (!wait_until(self, ticket, [&] { return s.ready.load() == ticket + 1; })) return;
        carry_out(self, ticket, helper % ranks_, ranks_);
        release(ticket);
    }
}

inline void WorkBoard::stop() {
    stopping_.store(true);
    notify_changed();
}

}  // namespace dszero
