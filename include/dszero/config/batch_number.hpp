// SPDX-License-Identifier: MIT
//
// One of the three batch numbers, of which DeepSpeed works out what is not given.
#pragma once

#include <dszero/config/json_values.hpp>

#include <concepts>
#include <cstdint>
#include <utility>

namespace dszero {

/// A batch number: as given, or as completed for the world size that the document was judged for.
struct BatchNumber {
    Json json;               ///< null where it is neither
    bool completed = false;  ///< it follows from the others, so with another number of ranks it is another

    BatchNumber() = default;
    BatchNumber(std::integral auto number) : json(json_integer(static_cast<std::int64_t>(number))) {}
    BatchNumber(Json value, bool was_completed) : json(std::move(value)), completed(was_completed) {}

    bool operator==(const BatchNumber& other) const {
        return equal(json, other.json) && completed == other.completed;
    }
};

}  // namespace dszero
