// SPDX-License-Identifier: MIT
//
// Finds keys by hash, and tells at a glance which look nothing like a word. Which keys
// there are is known beforehand, so no text can make the chains long.
#pragma once

#include <dszero/text/rough_hash.hpp>

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace dszero {

/// A key's character as comparisons for likeness see it: in lower case, '-' and ' ' as '_'.
constexpr char fold(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' || c == ' ' ? '_' : c;
}

/// Which characters a key has, folded: a bit for each, which some share, and another for one that comes
/// again.
constexpr std::uint64_t letters_of(std::string_view key) {
    std::uint64_t once = 0, again = 0;
    for (const char c : key) {
        const std::uint64_t bit = std::uint64_t{1} << static_cast<unsigned char>(fold(c)) % 32;
        again |= once & bit;
        once |= bit;
    }
    return once | again << 32;
}

class KeyIndex {
public:
    static constexpr std::size_t none = 255;

    /// A key as comparisons for likeness see it.
    struct Look {
        std::uint64_t letters;  ///< letters_of the key
        unsigned char length, number;
    };

    /// Keys are numbered as they come, from 0. There is room for 255, none longer than 255.
    void add(std::string_view key) {
        if (find(key) == none) {
            unsigned char& first = first_[rough_hash(key)];
            next_[size_] = first;
            first = static_cast<unsigned char>(size_ + 1);
        }
        const bool again = size_ > 0 && keys_[size_ - 1].data() == key.data();
        const Look look{letters_of(key), static_cast<unsigned char>(key.size()), size_};
        keys_[size_++] = key;
        if (again) return;
        Look* place = looks_ + look_count_++;
        for (; place != looks_ && place[-1].length > look.length; --place) place[0] = place[-1];
        *place = look;
    }

    /// The number of the key, the first one if it was added repeatedly; none if there is no such key.
    std::size_t find(std::string_view key) const {
        for (std::size_t at = first_[rough_hash(key)]; at != 0; at = next_[at - 1])
            if (keys_[at - 1] == key) return at - 1;
        return none;
    }

    std::string_view operator[](std::size_t number) const { return keys_[number]; }
    /// All keys, the shortest first; what was added twice in a row (a key that is its field's name), once.
    std::span<const Look> by_length() const { return {looks_, look_count_}; }

private:
    unsigned char size_ = 0, look_count_ = 0;
    unsigned char first_[256] = {};  // by hash: a key's number + 1, or 0
    unsigned char next_[none] = {};  // of the same hash, likewise
    std::string_view keys_[none];
    Look looks_[none] = {};
};

}  // namespace dszero
