// SPDX-License-Identifier: MIT
//
// A store on any file system: pread and pwrite by a few threads of its own, so that the
// caller computes meanwhile. Bytes pass through the system's page cache, which no account
// counts; dszero::uring goes past it and is faster on a disk.
#pragma once

#include <dszero/engine/storage/erased_store.hpp>
#include <dszero/engine/storage/scratch_file.hpp>
#include <dszero/engine/store.hpp>

#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <exception>
#include <filesystem>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace dszero {

class FileStore {
public:
    static constexpr unsigned default_threads = 2;

    explicit FileStore(ScratchFile file, unsigned threads = default_threads);
    ~FileStore();
    FileStore(const FileStore&) = delete;
    FileStore& operator=(const FileStore&) = delete;

    std::uint64_t size() const { return file_.size(); }
    std::size_t alignment() const { return 1; }
    std::string name() const { return file_.name(); }

    StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) {
        return start({.offset = offset, .to = to});
    }
    StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) {
        return start({.offset = offset, .from = from});
    }
    std::size_t wait(StoreTicket ticket);

private:
    struct Request {
        std::uint64_t offset = 0;
        std::span<std::byte> to = {};  ///< one of the two is empty
        std::span<const std::byte> from = {};
        bool done = false;
        std::exception_ptr error = {};
    };

    StoreTicket start(const Request& request);
    void serve();
    void stop();

    ScratchFile file_;
    std::mutex mutex_;
    std::condition_variable asked_, done_;
    std::map<StoreTicket, Request> requests_;  ///< not yet waited for
    std::deque<Request*> queue_;               ///< of these, the ones that nobody has begun
    StoreTicket next_ticket_ = 0;
    bool stop_ = false;
    std::vector<std::thread> threads_;
};

/// A StoreFactory.
inline ErasedStore open_file_store(const std::filesystem::path& directory, std::uint64_t bytes,
                                   std::vector<std::string>&) {
    return ErasedStore(std::make_unique<FileStore>(ScratchFile(directory, bytes)));
}

// ---- Implementation ----

inline FileStore::FileStore(ScratchFile file, unsigned threads) : file_(std::move(file)) {
    try {
        for (unsigned i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
    } catch (...) {
        stop();  // there will be no destructor
        throw;
    }
}

inline FileStore::~FileStore() { stop(); }

/// Once what was asked for is done.
inline void FileStore::stop() {
    {
        const std::lock_guard lock(mutex_);
        stop_ = true;
    }
    asked_.notify_all();
    for (std::thread& thread : threads_) thread.join();
}

inline StoreTicket FileStore::start(const Request& request) {
    StoreTicket ticket = 0;
    {
        const std::lock_guard lock(mutex_);
        ticket = next_ticket_++;
        queue_.push_back(&requests_.emplace(ticket, request).first->second);
    }
    asked_.notify_one();
    return ticket;
}

inline void FileStore::serve() {
    std::unique_lock lock(mutex_);
    for (;;) {
        asked_.wait(lock, [this] { return stop_ || !queue_.empty(); });
        if (queue_.empty()) return;  // what was asked for is done first, even now
        Request& request = *queue_.front();
        queue_.pop_front();
        lock.unlock();
        try {
            file_.read(request.offset, request.to);
            file_.write(request.offset, request.from);
        } catch (...) {
            request.error = std::current_exception();
        }
        lock.lock();
        request.done = true;
        done_.notify_all();
    }
}

inline std::size_t FileStore::wait(StoreTicket ticket) {
    std::unique_lock lock(mutex_);
    Request& request = requests_.at(ticket);
    done_.wait(lock, [&] { return request.done; });
    const auto node = requests_.extract(ticket);
    if (request.error) std::rethrow_exception(request.error);
    return request.to.size() + request.from.size();
}

static_assert(Store<FileStore>);

}  // namespace dszero
