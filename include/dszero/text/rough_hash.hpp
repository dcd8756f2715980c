// SPDX-License-Identifier: MIT
//
// A quick hash of a key into one of 256 buckets, to tell most keys apart without
// comparing them. Hostile keys can collide, so whoever uses it must bound the number
// of comparisons.
#pragma once

#include <dszero/text/bit_set.hpp>
#include <dszero/text/words.hpp>

#include <cstddef>
#include <string_view>

namespace dszero {

constexpr unsigned char rough_hash(std::string_view key) {
    if (key.empty()) return 0;
    const std::size_t size = key.size();
    const auto at = [key](std::size_t i) {
        return static_cast<unsigned>(static_cast<unsigned char>(key[i]));
    };
    return static_cast<unsigned char>(size * 31 + at(0) * 7 + at(size / 2) * 3 + at(size - 1) * 13);
}

/// Which keys there are, roughly: it may take another key for one of them, but misses none.
class RoughKeys {
public:
    constexpr RoughKeys() = default;
    /// Of keys with blanks between.
    constexpr RoughKeys(const char* keys) {  // NOLINT: implicit, for rows
        for_each_word(keys, [this](std::string_view key) { add(key); });
    }
    constexpr void add(std::string_view key) { hashes_.add(rough_hash(key)); }
    constexpr bool empty() const { return hashes_.empty(); }
    constexpr bool may_have(std::string_view key) const { return hashes_.has(rough_hash(key)); }
    constexpr bool may_share_one_with(const RoughKeys& other) const { return hashes_.meets(other.hashes_); }

private:
    BitSet<256> hashes_;
};

}  // namespace dszero
