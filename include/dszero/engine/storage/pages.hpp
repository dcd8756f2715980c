// SPDX-License-Identifier: MIT
//
// Zeroed memory, aligned to 64 bytes, or to pages if it is a whole number of them. Large
// blocks are pages of their own: huge ones where the system has them, all touched at once
// (a page not touched is memory that nobody counted), and back with the system as soon as
// they are freed. Locked memory, which the system may not move out, always is.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <new>

namespace dszero {

inline constexpr std::size_t cache_line_bytes = 64;
inline constexpr std::size_t page_bytes = 4096;  ///< The smallest that Linux has.
inline constexpr std::size_t huge_page_bytes = std::size_t{1} << 21;
inline constexpr std::size_t own_pages_from_bytes = std::size_t{1} << 20;

/// Null for no bytes; throws std::bad_alloc.
void* allocate_zeroed(std::size_t bytes, std::size_t pages_from_bytes = own_pages_from_bytes);
void free_zeroed(void* memory, std::size_t bytes,
                 std::size_t pages_from_bytes = own_pages_from_bytes) noexcept;

// ---- Implementation ----

constexpr std::align_val_t alignment_of_block(std::size_t bytes) {
    return std::align_val_t{bytes % page_bytes == 0 ? page_bytes : cache_line_bytes};
}

/// Pages that begin where a huge page could.
inline void* map_pages(std::size_t bytes) {
    const std::size_t mapped = bytes + huge_page_bytes;
    void* whole = ::mmap(nullptr, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (whole == MAP_FAILED) throw std::bad_alloc();
    const std::size_t before = -reinterpret_cast<std::uintptr_t>(whole) % huge_page_bytes;
    char* const begin = static_cast<char*>(whole) + before;
    if (before != 0) ::munmap(whole, before);
    if (before != huge_page_bytes) ::munmap(begin + bytes, huge_page_bytes - before);
    return begin;
}

inline void* allocate_zeroed(std::size_t bytes, std::size_t pages_from_bytes) {
    if (bytes == 0) return nullptr;
    if (bytes < pages_from_bytes) {
        void* memory = ::operator new(bytes, alignment_of_block(bytes));
        return std::memset(memory, 0, bytes);
    }
    const std::size_t whole_pages = (bytes + page_bytes - 1) / page_bytes * page_bytes;
    auto* const memory = static_cast<volatile char*>(map_pages(whole_pages));
#if defined(MADV_HUGEPAGE)
    ::madvise(const_cast<char*>(memory), whole_pages, MADV_HUGEPAGE);  // advice: refusal is no error
#endif
    for (std::size_t i = 0; i < whole_pages; i += page_bytes) memory[i] = 0;
    return const_cast<char*>(memory);
}

inline void free_zeroed(void* memory, std::size_t bytes, std::size_t pages_from_bytes) noexcept {
    if (bytes == 0) return;
    if (bytes >= pages_from_bytes)
        ::munmap(memory, (bytes + page_bytes - 1) / page_bytes * page_bytes);
    else
        ::operator delete(memory, alignment_of_block(bytes));
}

}  // namespace dszero
