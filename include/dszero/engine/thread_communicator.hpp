// SPDX-License-Identifier: MIT
//
// Ranks as threads of one process, which read each other's memory directly. An all_reduce
// is one pass: every element is summed in registers and stored into all ranks' buffers.
// Works proceed while ranks compute, whenever a rank starts or waits for another one (see
// work_board.hpp). An exception on one rank ends all the others with its message.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/threads/work_board.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

namespace dszero {

class ThreadCommunicator;

/// n ranks in this process:
///
///     dszero::ThreadWorld{4}.run([&](auto& comm) {
///         std::vector<float> one(1000, 1.0f);
///         all_reduce(comm, std::span(one));          // 4.0f everywhere
///     });
class ThreadWorld {
public:
    /// `helpers` threads carry out collectives while all ranks compute: of use where there are
    /// more cores than computing threads. Without them ranks do it, when they start or wait.
    explicit ThreadWorld(int ranks, unsigned helpers = 0) : ranks_(ranks), helpers_(helpers) {
        if (ranks < 1) throw std::invalid_argument("ThreadWorld: there must be at least one rank");
    }

    /// Calls body(comm) once per rank, each in a thread of its own (rank 0 in the caller's),
    /// and returns when all have. If one throws, the others' collectives throw RankError, and
    /// the first exception comes out here once all have ended.
    template <typename Body>
    void run(const Body& body) const;

private:
    int ranks_;
    unsigned helpers_;
};

/// A collective that this rank has started; to be used in the thread that did.
class ThreadWork {
public:
    ThreadWork() = default;  ///< Done.
    ThreadWork(ThreadWork&& other) noexcept
        : comm_(std::exchange(other.comm_, nullptr)),
          ticket_(other.ticket_),
          exceptions_(other.exceptions_) {}
    ThreadWork& operator=(ThreadWork&& other) noexcept;
    /// Waits; if an exception is passing through, gives the collective up instead (and with it
    /// the whole world), so that nobody touches this rank's buffers any more.
    ~ThreadWork();

    void wait();
    bool done();  ///< Never blocks.

private:
    friend class ThreadCommunicator;
    ThreadWork(ThreadCommunicator& comm, std::uint64_t ticket)
        : comm_(&comm), ticket_(ticket), exceptions_(std::uncaught_exceptions()) {}

    ThreadCommunicator* comm_ = nullptr;
    std::uint64_t ticket_ = 0;
    int exceptions_ = 0;
};

/// Models Communicator. Belongs to its rank's thread.
class ThreadCommunicator {
public:
    ThreadCommunicator(WorkBoard& board, int rank) : board_(board), rank_(rank) {}
    ThreadCommunicator(const ThreadCommunicator&) = delete;
    ThreadCommunicator& operator=(const ThreadCommunicator&) = delete;

    int rank() const { return rank_; }
    int size() const { return board_.ranks(); }

    template <Scalar T>
    ThreadWork start_reduce_scatter(std::type_identity_t<std::span<const T>> in, std::span<T> out,
                                    std::span<const Share> shares);
    template <Sendable T>
    ThreadWork start_all_gather(std::type_identity_t<std::span<const T>> in, std::span<T> out,
                                std::span<const Share> shares);
    template <Sendable T>
    ThreadWork start_broadcast(std::span<T> data, int root);
    /// Beyond the concept: in one pass, in place.
    template <Scalar T>
    ThreadWork start_all_reduce(std::span<T> data);

    /// Does this rank's part of whatever is ready, without waiting. Starting does it, too.
    void progress();

    const Traffic& traffic();

private:
    friend class ThreadWork;
    friend class ThreadWorld;
    struct Started {
        std::uint64_t open = 0;  ///< ticket + 1, until it has been waited for.
        Collective counted_as = Collective::control;
        std::uint64_t bytes = 0;
        bool counted = false;  ///< In done_bytes.
    };

    ThreadWork start(const Posting& posting, std::size_t elements, std::size_t sent_elements);
    void check_shares(std::span<const Share> shares, std::size_t whole, std::size_t packed) const;
    Started& started(std::uint64_t ticket) { return started_[ticket % WorkBoard::capacity]; }
    bool is_open(std::uint64_t ticket) { return started(ticket).open == ticket + 1; }
    void complete(std::uint64_t ticket);
    void complete_all() {
        for (std::uint64_t t = oldest_; t < next_; ++t) complete(t);
    }

    WorkBoard& board_;
    int rank_;
    std::uint64_t oldest_ = 0;  ///< All tickets before it have been waited for.
    std::uint64_t next_ = 0;
    std::array<Started, WorkBoard::capacity> started_{};
    Traffic traffic_{};
};

// ---- Implementation: starting ----

template <Scalar T>
ThreadWork ThreadCommunicator::start_reduce_scatter(std::type_identity_t<std::span<const T>> in,
                                                    std::span<T> out, std::span<const Share> shares) {
    check_shares(shares, in.size(), out.size());
    std::size_t all = 0;
    for (const Share& share : shares) all += share.elements;
    return start({Collective::reduce_scatter, &element_type<T>, in.data(), out.data(), 0, 0, shares}, all,
                 all - out.size());
}

template <Sendable T>
ThreadWork ThreadCommunicator::start_all_gather(std::type_identity_t<std::span<const T>> in, std::span<T> out,
                                                std::span<const Share> shares) {
    check_shares(shares, out.size(), in.size());
    std::size_t all = 0;
    for (const Share& share : shares) all += share.elements;
    return start({Collective::all_gather, &element_type<T>, in.data(), out.data(), 0, 0, shares}, all,
                 in.size() * static_cast<std::size_t>(size() - 1));
}

template <Sendable T>
ThreadWork ThreadCommunicator::start_broadcast(std::span<T> data, int root) {
    if (root < 0 || root >= size())
        throw std::invalid_argument("broadcast: there is no rank " + std::to_string(root));
    return start({Collective::broadcast, &element_type<T>, data.data(), data.data(), data.size(), root, {}},
                 data.size(), rank_ == root ? data.size() * static_cast<std::size_t>(size() - 1) : 0);
}

template <Scalar T>
ThreadWork ThreadCommunicator::start_all_reduce(std::span<T> data) {
    const std::size_t ranks = static_cast<std::size_t>(size());
    // As a reduce_scatter and an all_gather over equal slices would send.
    return start({Collective::all_reduce, &element_type<T>, data.data(), data.data(), data.size(), 0, {}},
                 data.size(), 2 * (data.size() - data.size() / ranks));
}

inline void ThreadCommunicator::check_shares(std::span<const Share> shares, std::size_t whole,
                                             std::size_t packed) const {
    for (const Share& share : shares) {
        if (share.rank < 0 || share.rank >= size())
            throw std::invalid_argument("shares: there is no rank " + std::to_string(share.rank));
        if (share.begin > whole || share.elements > whole - share.begin)
            throw std::invalid_argument("shares: elements " + std::to_string(share.begin) + " to " +
                                        std::to_string(share.begin + share.elements) + " of a buffer of " +
                                        std::to_string(whole));
    }
    if (elements_of(shares, rank_) != packed)
        throw std::invalid_argument("shares: rank " + std::to_string(rank_) + " owns " +
                                    std::to_string(elements_of(shares, rank_)) +
                                    " elements, but has a buffer of " + std::to_string(packed));
}

inline ThreadWork ThreadCommunicator::start(const Posting& posting, std::size_t elements,
                                            std::size_t sent_elements) {
    const std::uint64_t ticket = next_;
    if (ticket >= WorkBoard::capacity) complete(ticket - WorkBoard::capacity);
    board_.post(static_cast<std::size_t>(rank_), ticket, posting);
    ++next_;

    const bool data = posting.type->sum != nullptr;
    Started& now = started(ticket);
    now = {ticket + 1, data ? posting.kind : Collective::control, elements * posting.type->bytes, false};
    const std::size_t unit = data ? 1 : posting.type->bytes;
    TrafficCount& count = traffic_[now.counted_as];
    count.calls += 1;
    count.elements += elements * unit;
    count.bytes += now.bytes;
    count.sent_elements += sent_elements * unit;
    count.sent_bytes += sent_elements * posting.type->bytes;

    ThreadWork work(*this, ticket);
    progress();
    return work;
}

// ---- Implementation: waiting ----

inline void ThreadCommunicator::progress() {
    while (oldest_ < next_ && !is_open(oldest_)) ++oldest_;
    board_.lend_a_hand(static_cast<std::size_t>(rank_), oldest_, next_);
}

inline void ThreadCommunicator::complete(std::uint64_t ticket) {
    if (!is_open(ticket)) return;
    board_.wait(static_cast<std::size_t>(rank_), ticket);
    Started& one = started(ticket);
    if (!one.counted) traffic_[one.counted_as].done_bytes += one.bytes;
    one.open = 0;
    board_.release(ticket);
}

inline const Traffic& ThreadCommunicator::traffic() {
    for (std::uint64_t ticket = oldest_; ticket < next_; ++ticket) {
        Started& one = started(ticket);
        if (!is_open(ticket) || one.counted || !board_.is_finished(ticket)) continue;
        traffic_[one.counted_as].done_bytes += one.bytes;
        one.counted = true;
    }
    return traffic_;
}

inline void ThreadWork::wait() {
    if (comm_ != nullptr) std::exchange(comm_, nullptr)->complete(ticket_);
}

inline bool ThreadWork::done() {
    if (comm_ == nullptr) return true;
    if (comm_->is_open(ticket_) && !comm_->board_.is_finished(ticket_)) return false;
    wait();
    return true;
}

inline ThreadWork& ThreadWork::operator=(ThreadWork&& other) noexcept {
    if (this != &other) {
        ThreadWork old(std::move(*this));  // and is waited for
        comm_ = std::exchange(other.comm_, nullptr);
        ticket_ = other.ticket_;
        exceptions_ = other.exceptions_;
    }
    return *this;
}

inline ThreadWork::~ThreadWork() {
    if (comm_ == nullptr || done()) return;
    if (std::uncaught_exceptions() > exceptions_) {
        comm_->board_.interrupt(static_cast<std::size_t>(comm_->rank_));
        return;
    }
    try {
        wait();
    } catch (const RankError&) {  // NOLINT: the next collective throws it again
    }
}

// ---- Implementation: the world ----

template <typename Body>
void ThreadWorld::run(const Body& body) const {
    WorkBoard board(ranks_, helpers_);
    std::exception_ptr first;
    const auto end_with = [&board, &first](int rank, const std::string& message) {
        if (board.fail(static_cast<std::size_t>(rank), message)) first = std::current_exception();
    };
    const auto be_rank = [&](int rank) {
        ThreadCommunicator comm(board, rank);
        try {
            body(comm);
            comm.complete_all();
            board.leave(static_cast<std::size_t>(rank), comm.next_);
        } catch (const std::exception& error) {
            end_with(rank, error.what());
        } catch (...) {
            end_with(rank, "an exception that is no std::exception");
        }
    };

    std::vector<std::thread> threads;
    try {
        for (unsigned h = 0; h < helpers_; ++h) threads.emplace_back([&board, h] { board.help(h); });
        for (int r = 1; r < ranks_; ++r) threads.emplace_back([&be_rank, r] { be_rank(r); });
        be_rank(0);
    } catch (const std::exception& error) {  // a thread that could not be started
        end_with(static_cast<int>(threads.size()) - static_cast<int>(helpers_) + 1, error.what());
    }
    const std::size_t helpers = std::min<std::size_t>(helpers_, threads.size());
    for (std::size_t t = helpers; t < threads.size(); ++t) threads[t].join();
    board.stop();
    for (std::size_t t = 0; t < helpers; ++t) threads[t].join();
    if (first) std::rethrow_exception(first);
    if (board.has_failed()) throw board.failure();
}

static_assert(Communicator<ThreadCommunicator>);

}  // namespace dszero
