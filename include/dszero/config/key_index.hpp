// SPDX-License-Identifier: MIT
//
// Finds keys by hash, and tells at a glance which look nothing like a word. Which keys
// there are is known beforehand, so no text can make the chains long.
#pragma once

#include <dszero/text/rough_hash.hpp>

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace dszero {

/// A key's character as comparisons for likeness see it: in lower case, '-' and ' ' as '_'.
constexpr char fold(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' || c == ' ' ? '_' : c;
}

/// Which characters a key has, folded: a bit for each, which some share.
constexpr std::uint32_t letters_of(std::string_view key) {
    std::uint32_t letters = 0;
    for (const char c : key) letters |= std::uint32_t{1} << static_cast<unsigned char>(fold(c)) % 32;
    return letters;
}

class KeyIndex {
public:
    static constexpr std::size_t none = 255;

    /// Keys are numbered as they come, from 0. There is room for 255.
    void add(std::string_view key) {
        if (find(key) == none) {
            unsigned char& first = first_[rough_hash(key)];
            next_[size_] = first;
            first = static_cast<unsigned char>(size_ + 1);
        }
        letters_[size_] = letters_of(key);
        keys_[size_++] = key;
    }

    /// The number of the key, the first one if it was added repeatedly; none if there is no such key.
    std::size_t find(std::string_view key) const {
        for (std::size_t at = first_[rough_hash(key)]; at != 0; at = next_[at - 1])
            if (keys_[at - 1] == key) return at - 1;
        return none;
    }

    std::size_t size() const { return size_; }
    std::string_view operator[](std::size_t number) const { return keys_[number]; }
    /// letters_of the key.
    std::uint32_t letters(std::size_t number) const { return letters_[number]; }

private:
    unsigned char size_ = 0;
    unsigned char first_[256] = {};  // by hash: a key's number + 1, or 0
    unsigned char next_[none] = {};  // of the same hash, likewise
    std::string_view keys_[none];
    std::uint32_t letters_[none] = {};
};

}  // namespace dszero
