// SPDX-License-Identifier: MIT
//
// A quick hash of a key into one of 256 buckets, to tell most keys apart without
// comparing them. Hostile keys can collide, so whoever uses it must bound the number
// of comparisons.
#pragma once

#include <dszero/text/words.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
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
    constexpr void add(std::string_view key) {
        const unsigned char hash = rough_hash(key);
        bits_[hash / 64] |= std::uint64_t{1} << hash % 64;
    }
    constexpr bool empty() const { return bits_ == std::array<std::uint64_t, 4>{}; }
    constexpr bool may_have(std::string_view key) const {
        const unsigned char hash = rough_hash(key);
        return (bits_[hash / 64] >> hash % 64 & 1) != 0;
    }
    constexpr bool may_share_one_with(const RoughKeys& other) const {
        std::uint64_t shared = 0;
        for (std::size_t i = 0; i < bits_.size(); ++i) shared |= bits_[i] & other.bits_[i];
        return shared != 0;
    }

private:
    std::array<std::uint64_t, 4> bits_{};
};

}  // namespace dszero
