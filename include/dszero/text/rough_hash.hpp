// SPDX-License-Identifier: MIT
//
// A quick hash of a key into one of 256 buckets, to tell most keys apart without
// comparing them. Hostile keys can collide, so whoever uses it must bound the number
// of comparisons.
#pragma once

#include <cstddef>
#include <string_view>

namespace dszero {

inline unsigned char rough_hash(std::string_view key) {
    if (key.empty()) return 0;
    const std::size_t size = key.size();
    const auto* const at = reinterpret_cast<const unsigned char*>(key.data());
    return static_cast<unsigned char>(size * 31 + at[0] * 7u + at[size / 2] * 3u + at[size - 1] * 13u);
}

}  // namespace dszero
