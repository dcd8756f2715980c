// SPDX-License-Identifier: MIT
//
// A set of small numbers. std::bitset cannot say which numbers it has without asking for
// each, and is no constant in C++20.
#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace dszero {

/// A set of numbers below `limit`, a bit for each.
template <std::size_t limit>
class BitSet {
public:
    constexpr void add(std::size_t number) { words_[number / 64] |= std::uint64_t{1} << number % 64; }
    constexpr bool has(std::size_t number) const { return (words_[number / 64] >> number % 64 & 1) != 0; }
    constexpr bool empty() const { return words_ == Words{}; }
    constexpr bool meets(const BitSet& other) const {
        std::uint64_t shared = 0;
        for (std::size_t i = 0; i < words_.size(); ++i) shared |= words_[i] & other.words_[i];
        return shared != 0;
    }
    constexpr BitSet& operator|=(const BitSet& other) {
        for (std::size_t i = 0; i < words_.size(); ++i) words_[i] |= other.words_[i];
        return *this;
    }
    /// Calls `each` with every number, in order.
    void for_each(auto&& each) const {
        for (std::size_t i = 0; i < words_.size(); ++i)
            for (std::uint64_t left = words_[i]; left != 0; left &= left - 1)
                each(i * 64 + static_cast<std::size_t>(std::countr_zero(left)));
    }

private:
    using Words = std::array<std::uint64_t, (limit + 63) / 64>;
    Words words_{};
};

}  // namespace dszero
