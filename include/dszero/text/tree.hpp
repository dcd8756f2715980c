// SPDX-License-Identifier: MIT
//
// What reading a text results in: nlohmann's value, and beside it where each
// key and value stands in the text.
// The nodes are in document order, a container before what it holds, so that
// walking value and nodes together needs no look-up:
//
//     std::uint32_t child = at + 1;                       // nodes[at] is an object
//     for (const auto& member : value.items()) {          // its members, in order
//         … tree.nodes[child].key …
//         child = tree.nodes[child].end;                  // skips all descendants
//     }
#pragma once

#include <dszero/text/small_vector.hpp>
#include <dszero/text/source.hpp>

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string_view>

namespace dszero {

struct Node {
    Span key;               ///< With its quotes; empty at 0 for the root and for elements of arrays.
    Span value;             ///< With quotes or brackets; a root without braces: first key to last value.
    std::uint32_t end = 0;  ///< Index just past the last descendant: the next sibling, if there is one.

    bool operator==(const Node&) const = default;
};

using Nodes = SmallVector<Node, 1>;

/// Empties a value from the leaves up. nlohmann's destructor moves all that a container holds through a
/// vector on the heap, so as not to recurse; it still does for what lies deeper than `levels`.
inline void clear_leaves_first(nlohmann::ordered_json& value, int levels = 32) {
    if (levels == 0) return;
    if (auto* object = value.get_ptr<nlohmann::ordered_json::object_t*>()) {
        for (auto& member : *object) clear_leaves_first(member.second, levels - 1);
        object->clear();
    } else if (auto* array = value.get_ptr<nlohmann::ordered_json::array_t*>()) {
        for (auto& element : *array) clear_leaves_first(element, levels - 1);
        array->clear();
    }
}

/// Strings are WTF-8 (unicode.hpp). Integers are unsigned from 0 on, signed below;
/// one beyond 64 bits is the nearest double, and its digits are in the text.
struct Tree {
    nlohmann::ordered_json value;
    Nodes nodes;
    bool beyond_json = false;  ///< Perhaps no JSON: the reader met what only Hjson may have, or \u.

    Tree() = default;
    Tree(const Tree&) = default;
    Tree(Tree&&) = default;
    Tree& operator=(const Tree&) = default;
    Tree& operator=(Tree&&) = default;
    ~Tree() { clear_leaves_first(value); }
};

/// Whether a number, as it is spelled in the text, is an integer that the tree had to hold as a double. Not
/// so where there is no text: a double is a double then.
inline bool is_big_integer(const nlohmann::ordered_json& number, std::string_view spelled) {
    return number.is_number_float() && !spelled.empty() &&
           spelled.find_first_of(".eENI") == std::string_view::npos;  // N, I: NaN, Infinity
}

}  // namespace dszero
