// SPDX-License-Identifier: MIT
//
// What a sanitizer changes: time, and memory beside one's own. Tests then try less, and say so.
#pragma once

#include "support/catch.hpp"

#include <initializer_list>
#include <vector>

namespace test {

#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool sanitized = true;
#elif defined(__has_feature)
inline constexpr bool sanitized = __has_feature(thread_sanitizer) || __has_feature(address_sanitizer);
#else
inline constexpr bool sanitized = false;
#endif

/// `all` of them; under a sanitizer a `few`, aloud.
template <class T>
std::vector<T> all_or_few(const char* what, std::initializer_list<T> all, std::initializer_list<T> few) {
    if (!sanitized) return all;
    WARN("under a sanitizer: " << few.size() << " of " << all.size() << ' ' << what);
    return few;
}

}  // namespace test
