// SPDX-License-Identifier: MIT
//
// What the model reads: the bytes of files, and sequences drawn from them.
#pragma once

#include "gpt.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace gpt {

class Text {
public:
    explicit Text(std::string bytes) : bytes_(std::move(bytes)) {}
    /// Files, and all files in folders, one behind the other; in order of their names, so the same
    /// everywhere. Throws std::system_error, with the path.
    static Text read(const std::vector<std::string>& paths);

    std::size_t size() const { return bytes_.size(); }

    /// What a byte costs if only its frequency is known, in nats: a model that has learnt anything about how
    /// bytes follow each other has a lower loss.
    double unigram_entropy() const;

    /// Sequences first, first + 1, … of an endless list, which begin at places drawn at random.
    Sequences sequences(std::uint64_t first, std::size_t count, std::size_t context) const;

private:
    std::string bytes_;
};

}  // namespace gpt
