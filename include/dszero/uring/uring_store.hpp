// SPDX-License-Identifier: MIT
//
// A store on a disk, at the disk's speed: io_uring and direct I/O, past the page cache.
// CMake target dszero::uring; needs liburing. open_uring_store() is what an engine is given:
//
//     dszero::EngineOptions options;
//     options.open_store = dszero::open_uring_store;
//
// Where the kernel refuses io_uring or the file system refuses direct I/O, it opens a
// FileStore, and says so.
#pragma once

#include <dszero/engine/file_store.hpp>
#include <dszero/engine/storage/erased_store.hpp>
#include <dszero/engine/storage/pages.hpp>
#include <dszero/engine/storage/scratch_file.hpp>
#include <dszero/engine/store.hpp>
#include <dszero/layout/partition.hpp>

#include <liburing.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dszero {

/// liburing's calls that can fail; tests have others fail on purpose. They return 0, or -errno.
struct UringCalls {
    int (*queue_init)(unsigned entries, io_uring* ring, unsigned flags) = ::io_uring_queue_init;
    int (*register_buffers)(io_uring* ring, const iovec* buffers,
                            unsigned count) = ::io_uring_register_buffers;
    int (*submit)(io_uring* ring) = ::io_uring_submit;
    int (*wait_cqe)(io_uring* ring, io_uring_cqe** completion) =
        [](io_uring* ring, io_uring_cqe** completion) { return ::io_uring_wait_cqe(ring, completion); };
};

class UringStore {
public:
    /// Takes over a file, which must have whole blocks. Throws std::system_error if it cannot, and leaves the
    /// file as it was.
    explicit UringStore(ScratchFile&& file, const UringCalls& calls = {});
    ~UringStore();
    UringStore(const UringStore&) = delete;
    UringStore& operator=(const UringStore&) = delete;

    std::uint64_t size() const { return file_.size(); }
    std::size_t alignment() const { return page_bytes; }
    std::string name() const { return file_.name(); }

    StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) {
        return start({.writes = false, .memory = to.data(), .bytes = to.size(), .offset = offset});
    }
    StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) {
        return start({.writes = true,
                      .memory = const_cast<std::byte*>(from.data()),  // only ever read
                      .bytes = from.size(),
                      .offset = offset});
    }
    std::size_t wait(StoreTicket ticket);

    /// The kernel keeps these pages at hand. They count as locked memory.
    std::error_code register_memory(std::span<std::byte> memory);

private:
    struct Request {
        bool writes = false;
        std::byte* memory = nullptr;
        std::size_t bytes = 0;
        std::uint64_t offset = 0;
        std::size_t moved = 0;
        unsigned retries = 0;
        bool done = false;
        int error = 0;
    };
    /// A queue of the kernel's, gone with this.
    struct Ring {
        io_uring queue{};

        explicit Ring(const UringCalls& calls);
        ~Ring() { ::io_uring_queue_exit(&queue); }
        Ring(const Ring&) = delete;
        Ring& operator=(const Ring&) = delete;
    };

    static constexpr unsigned queue_entries = 64;
    static constexpr std::size_t most_bytes_a_call = std::size_t{1} << 30;
    static constexpr unsigned most_retries = 1000;  ///< a system that never does anything is an error

    static ScratchFile&& set_direct(ScratchFile& file);
    StoreTicket start(const Request& request);
    void submit_waiting();
    void submit(Request& request);
    int take_completion();
    void complete(Request& request, int result);
    bool registered(const Request& request) const;

    UringCalls calls_;
    Ring ring_;
    ScratchFile file_;
    std::map<StoreTicket, Request> requests_;  ///< not yet waited for
    StoreTicket next_ticket_ = 0;
    std::deque<Request*> waiting_;  ///< to be submitted, in whole or for what is left of them
    std::size_t under_way_ = 0;     ///< in the kernel
    std::span<std::byte> registered_;
};

/// A StoreFactory: direct I/O by io_uring, and a note and a FileStore where the system refuses that.
ErasedStore open_uring_store(const std::filesystem::path& directory, std::uint64_t bytes,
                             std::vector<std::string>& notes);
/// The same for a file that is there.
ErasedStore uring_or_file_store(ScratchFile file, const UringCalls& calls, std::vector<std::string>& notes);

// ---- Implementation ----

inline UringStore::Ring::Ring(const UringCalls& calls) {
    if (const int result = calls.queue_init(queue_entries, &queue, 0); result < 0)
        throw std::system_error(-result, std::generic_category(), "the kernel refuses io_uring");
}

/// Tries it, too: some file systems only refuse when they are read.
inline ScratchFile&& UringStore::set_direct(ScratchFile& file) {
    const auto refuse = [](std::error_code why) {
        throw std::system_error(why, "the file system refuses direct I/O (O_DIRECT)");
    };
    if (!file.use_direct_io(true)) refuse({errno, std::generic_category()});
    try {
        alignas(page_bytes) std::array<std::byte, page_bytes> block;
        if (file.size() != 0) file.read(0, block);
    } catch (const std::system_error& error) {
        file.use_direct_io(false);
        refuse(error.code());
    }
    return std::move(file);
}

inline UringStore::UringStore(ScratchFile&& file, const UringCalls& calls)
    : calls_(calls), ring_(calls_), file_(set_direct(file)) {}

inline UringStore::~UringStore() {
    while (under_way_ != 0 && take_completion() == 0) {
    }  // of an error nobody is left to tell
}

inline std::error_code UringStore::register_memory(std::span<std::byte> memory) {
    if (!registered_.empty()) ::io_uring_unregister_buffers(&ring_.queue);
    registered_ = {};
    if (memory.empty()) return {};
    const iovec buffer{memory.data(), memory.size()};
    if (const int result = calls_.register_buffers(&ring_.queue, &buffer, 1); result < 0)
        return {-result, std::generic_category()};
    registered_ = memory;
    return {};
}

inline bool UringStore::registered(const Request& request) const {
    return !registered_.empty() && request.memory >= registered_.data() &&
           request.memory + request.bytes <= registered_.data() + registered_.size();
}

inline StoreTicket UringStore::start(const Request& request) {
    const StoreTicket ticket = next_ticket_++;
    Request& kept = requests_.emplace(ticket, request).first->second;
    if (kept.bytes == 0)
        kept.done = true;
    else
        waiting_.push_back(&kept);
    submit_waiting();
    return ticket;
}

/// One after the other: a submission may complete others, which then wait behind it for what is left of them.
inline void UringStore::submit_waiting() {
    while (!waiting_.empty()) {
        Request& next = *waiting_.front();
        waiting_.pop_front();
        submit(next);
    }
}

/// Hands what is left of a request to the kernel. An error is the request's: wait() throws it.
inline void UringStore::submit(Request& request) {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_.queue);
    // Full of what the kernel refused, which by now does nothing: perhaps it takes that.
    if (entry == nullptr && calls_.submit(&ring_.queue) >= 0) entry = ::io_uring_get_sqe(&ring_.queue);
    if (entry == nullptr) {
        request.error = EBUSY;
        request.done = true;
        return;
    }
    const int file = file_.descriptor();
    std::byte* const memory = request.memory + request.moved;
    const auto bytes = static_cast<unsigned>(std::min(request.bytes - request.moved, most_bytes_a_call));
    const std::uint64_t offset = request.offset + request.moved;
    if (registered(request)) {
        if (request.writes)
            ::io_uring_prep_write_fixed(entry, file, memory, bytes, offset, 0);
        else
            ::io_uring_prep_read_fixed(entry, file, memory, bytes, offset, 0);
    } else {
        if (request.writes)
            ::io_uring_prep_write(entry, file, memory, bytes, offset);
        else
            ::io_uring_prep_read(entry, file, memory, bytes, offset);
    }
    ::io_uring_sqe_set_data(entry, &request);

    // Each entry is submitted at once, so the queue has room for the next, unless the kernel refuses.
    int result = calls_.submit(&ring_.queue);
    while (result == -EINTR || ((result == -EAGAIN || result == -EBUSY) && under_way_ != 0)) {
        if (result != -EINTR && (result = take_completion()) < 0) break;
        result = calls_.submit(&ring_.queue);
    }
    if (result >= 0) {
        ++under_way_;
        return;
    }
    // The entry stays in the queue: a later submission must not move these bytes.
    ::io_uring_prep_nop(entry);
    ::io_uring_sqe_set_data(entry, nullptr);
    request.error = -result;
    request.done = true;
}

/// Returns 0, or -errno: there was none.
inline int UringStore::take_completion() {
    io_uring_cqe* completion = nullptr;
    int result = -EINTR;
    while (result == -EINTR) result = calls_.wait_cqe(&ring_.queue, &completion);
    if (result < 0) return result;
    auto* const request = static_cast<Request*>(::io_uring_cqe_get_data(completion));
    const int moved = completion->res;
    ::io_uring_cqe_seen(&ring_.queue, completion);
    if (request == nullptr) return 0;  // an entry that was never submitted for its bytes
    --under_way_;
    complete(*request, moved);
    return 0;
}

/// Goes on with what fell short or was interrupted.
inline void UringStore::complete(Request& request, int result) {
    if (result > 0) request.moved += static_cast<std::size_t>(result);
    if (request.moved == request.bytes) {
        request.done = true;
    } else if (result > 0 || ((result == -EINTR || result == -EAGAIN) && ++request.retries <= most_retries)) {
        waiting_.push_back(&request);
    } else {
        request.error = result == 0 ? EIO : -result;  // 0: the file is shorter than it was made
        request.done = true;
    }
}

inline std::size_t UringStore::wait(StoreTicket ticket) {
    Request& request = requests_.at(ticket);
    while (!request.done) {
        if (const int result = take_completion(); result < 0)
            throw std::system_error(-result, std::generic_category(), name() + ": io_uring_wait_cqe");
        submit_waiting();
    }
    const Request was = request;
    requests_.erase(ticket);
    if (was.error != 0) file_.fail(was.error, was.writes ? "writing" : "reading", was.bytes, was.offset);
    return was.moved;
}

static_assert(Store<UringStore>);

inline ErasedStore uring_or_file_store(ScratchFile file, const UringCalls& calls,
                                       std::vector<std::string>& notes) {
    try {
        return ErasedStore(std::make_unique<UringStore>(std::move(file), calls));
    } catch (const std::system_error& refused) {  // the file was not taken
        notes.push_back(file.name() + ": " + refused.what() +
                        "; it is read and written through the page cache instead, which is slower; "
                        "results are the same");
        return ErasedStore(std::make_unique<FileStore>(std::move(file)));
    }
}

inline ErasedStore open_uring_store(const std::filesystem::path& directory, std::uint64_t bytes,
                                    std::vector<std::string>& notes) {
    return uring_or_file_store(ScratchFile(directory, round_up(bytes, page_bytes)), {}, notes);
}

}  // namespace dszero
