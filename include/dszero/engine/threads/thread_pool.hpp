// SPDX-License-Identifier: MIT
//
// A few threads that help with loops over elements. The caller works on its own loop, and
// the pool's threads join in, so a pool with one thread is the caller alone and several
// callers (the ranks of a ThreadWorld) can share one pool. Loops are cut at fixed multiples
// of elements, whatever the number of threads.
#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

namespace dszero {

class ThreadPool {
public:
    /// Where loops are cut, unless the call says otherwise: 64 Ki elements.
    static constexpr std::size_t default_piece_elements = std::size_t{1} << 16;

    /// `threads` counts the caller: threads - 1 are started, at least none. Throws std::system_error if the
    /// system does not start that many.
    explicit ThreadPool(unsigned threads = 1);
    ~ThreadPool();
    ThreadPool(const ThreadPool&) = delete;
    ThreadPool& operator=(const ThreadPool&) = delete;

    unsigned threads() const { return static_cast<unsigned>(helpers_.size()) + 1; }

    /// Calls body(begin, count) for pieces that together cover [0, elements): each begins at a
    /// multiple of piece_elements. Returns when all are done. The first exception that a piece
    /// throws ends the loop and comes out here.
    template <typename Body>
    void parallel_for(std::size_t elements, const Body& body,
                      std::size_t piece_elements = default_piece_elements);

private:
    /// One loop under way, on its caller's stack.
    struct Loop {
        void (*call)(const void* body, std::size_t begin, std::size_t count);
        const void* body;
        std::size_t elements;
        std::size_t piece_elements;
        std::atomic<std::size_t> next{0};  ///< First element that nobody took.
        unsigned helpers = 0;              ///< Threads in it besides the caller; guarded by mutex_.
        std::exception_ptr error = {};     ///< Likewise.
    };

    void work_on(Loop& loop);
    void help();
    void stop();

    std::mutex mutex_;
    std::condition_variable work_;      ///< There is a loop, or the end.
    std::condition_variable finished_;  ///< A helper left a loop.
    std::vector<Loop*> loops_;
    bool stop_ = false;
    std::vector<std::thread> helpers_;
};

// ---- Implementation ----

inline ThreadPool::ThreadPool(unsigned threads) {
    try {
        for (unsigned i = 1; i < threads; ++i) helpers_.emplace_back([this] { help(); });
    } catch (...) {
        stop();  // there will be no destructor
        throw;
    }
}

inline ThreadPool::~ThreadPool() { stop(); }

inline void ThreadPool::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    work_.notify_all();
    for (std::thread& helper : helpers_) helper.join();
}

inline void ThreadPool::work_on(Loop& loop) {
    for (;;) {
        const std::size_t begin = loop.next.fetch_add(loop.piece_elements, std::memory_order_relaxed);
        if (begin >= loop.elements) return;
        try {
            loop.call(loop.body, begin, std::min(loop.piece_elements, loop.elements - begin));
        } catch (...) {
            const std::lock_guard lock(mutex_);
            if (!loop.error) loop.error = std::current_exception();
            loop.next.store(loop.elements, std::memory_order_relaxed);
        }
    }
}

inline void ThreadPool::help() {
    std::unique_lock lock(mutex_);
    for (;;) {
        work_.wait(lock, [this] { return stop_ || !loops_.empty(); });
        if (loops_.empty()) return;
        Loop& loop = *loops_.front();
        // Taken off the list by whoever sees first that nothing is left to take.
        if (loop.next.load(std::memory_order_relaxed) >= loop.elements) {
            loops_.erase(loops_.begin());
            continue;
        }
        ++loop.helpers;
        lock.unlock();
        work_on(loop);
        lock.lock();
        if (--loop.helpers == 0) finished_.notify_all();
        std::erase(loops_, &loop);
    }
}

template <typename Body>
void ThreadPool::parallel_for(std::size_t elements, const Body& body, std::size_t piece_elements) {
    Loop loop{[](const void* erased, std::size_t begin, std::size_t count) {
                  (*static_cast<const Body*>(erased))(begin, count);
              },
              &body, elements, piece_elements};
    const bool shared = !helpers_.empty() && elements > piece_elements;
    if (shared) {
        {
            const std::lock_guard lock(mutex_);
            loops_.push_back(&loop);
        }
        work_.notify_all();
    }
    work_on(loop);
    if (shared) {
        std::unique_lock lock(mutex_);
        std::erase(loops_, &loop);
        finished_.wait(lock, [&] { return loop.helpers == 0; });
    }
    if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace dszero
