// SPDX-License-Identifier: MIT
//
// Memory that stays in memory (pin_memory). Where the system does not allow it, training
// goes on with pages that could be swapped out, and a note says which limit to raise.
#pragma once

#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstddef>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dszero {

/// Locks whole pages for as long as it lives.
class LockedPages {
public:
    LockedPages() = default;
    /// If the system refuses, locks nothing, and says so in `notes`.
    LockedPages(std::span<const std::byte> memory, std::vector<std::string>& notes);
    LockedPages(LockedPages&& other) noexcept : memory_(std::exchange(other.memory_, {})) {}
    LockedPages& operator=(LockedPages&& other) noexcept {
        std::swap(memory_, other.memory_);
        return *this;
    }
    ~LockedPages() {
        if (!memory_.empty()) ::munlock(memory_.data(), memory_.size());
    }

    std::size_t bytes() const { return memory_.size(); }

private:
    std::span<const std::byte> memory_;
};

/// "the limit on locked memory (RLIMIT_MEMLOCK) is 65536 bytes: raise it with …"
std::string locked_memory_limit();

// ---- Implementation ----

inline LockedPages::LockedPages(std::span<const std::byte> memory, std::vector<std::string>& notes) {
    if (memory.empty()) return;
    if (::mlock(memory.data(), memory.size()) == 0) {
        memory_ = memory;
        return;
    }
    const std::error_code why(errno, std::generic_category());
    notes.push_back("pin_memory: " + std::to_string(memory.size()) + " bytes are not locked (mlock: " +
                    why.message() + "); " + locked_memory_limit() + "; results are the same");
}

inline std::string locked_memory_limit() {
    rlimit limit{};
    ::getrlimit(RLIMIT_MEMLOCK, &limit);
    const std::string bytes =
        limit.rlim_cur == RLIM_INFINITY ? "unlimited" : std::to_string(limit.rlim_cur) + " bytes";
    return "the limit on locked memory (RLIMIT_MEMLOCK) is " + bytes +
           ": raise it with `ulimit -l`, memlock in /etc/security/limits.conf, or LimitMEMLOCK= of a service";
}

}  // namespace dszero
