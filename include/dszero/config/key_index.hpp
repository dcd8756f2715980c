// SPDX-License-Identifier: MIT
//
// Finds keys by hash. Which keys there are is known beforehand, so no text can
// make the chains long.
#pragma once

#include <dszero/text/rough_hash.hpp>

#include <cstddef>
#include <string_view>

namespace dszero {

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
        keys_[size_++] = key;
    }

    /// The number of the key, the first one if it was added repeatedly; none if there is no such key.
    std::size_t find(std::string_view key) const {
        for (std::size_t at = first_[rough_hash(key)]; at != 0; at = next_[at - 1])
            if (keys_[at - 1] == key) return at - 1;
        return none;
    }

private:
    unsigned char size_ = 0;
    unsigned char first_[256] = {};  // by hash: a key's number + 1, or 0
    unsigned char next_[none] = {};  // of the same hash, likewise
    std::string_view keys_[none];
};

}  // namespace dszero
