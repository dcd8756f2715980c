// SPDX-License-Identifier: MIT
//
// Types of members that are DeepSpeed's own.
#pragma once

#include <cstdint>
#include <optional>

namespace dszero {

/// A deprecated attribute. DeepSpeed deletes it once its value was moved to the field
/// that replaces it; a deleted one counts as never given.
template <class T>
struct Deprecated {
    T value{};
    bool deleted = false;

    bool operator==(const Deprecated& other) const { return value == other.value; }
};

/// "auto" (no steps) or a number of steps; DeepSpeed's Union[str, int].
struct Interval {
    std::optional<std::int64_t> steps;

    bool operator==(const Interval&) const = default;
};

}  // namespace dszero
