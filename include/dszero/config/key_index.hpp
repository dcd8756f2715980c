// SPDX-License-Identifier: MIT
//
// Finds keys by hash. Which keys there are is known beforehand, so no text can
// make the chains long.
#pragma once

#include <array>
#include <cstddef>
#include <string_view>

namespace dszero {

class KeyIndex {
public:
    static constexpr std::size_t none = 255;

    /// Keys are numbered as they come, from 0. There is room for 255.
    void add(std::string_view key) {
        unsigned char& first = first_[hash(key)];
        keys_[size_] = key;
        next_[size_] = first;
        first = ++size_;
    }

    /// The number of the key, the last one if it was added repeatedly; none if there is no such key.
    std::size_t find(std::string_view key) const {
        for (std::size_t at = first_[hash(key)]; at != 0; at = next_[at - 1])
            if (keys_[at - 1] == key) return at - 1;
        return none;
    }

private:
    static std::size_t hash(std::string_view key) {
        if (key.empty()) return 0;
        const auto at = [&](std::size_t i) { return std::size_t{static_cast<unsigned char>(key[i])}; };
        return (key.size() * 31 + at(0) * 7 + at(key.size() / 2) * 3 + at(key.size() - 1) * 13) % 256;
    }

    unsigned char size_ = 0;
    std::array<unsigned char, 256> first_{};  // by hash: a key's number + 1, or 0
    std::array<unsigned char, none> next_{};  // of the same hash, likewise
    std::array<std::string_view, none> keys_;
};

}  // namespace dszero
