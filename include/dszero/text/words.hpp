// SPDX-License-Identifier: MIT
//
// Lists of names in a row of a table: one text, with blanks between them.
#pragma once

#include <string_view>

namespace dszero {

/// Calls `each` with every word of a text that has blanks between them.
constexpr void for_each_word(std::string_view text, auto&& each) {
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        if (!word.empty()) each(word);
        text.remove_prefix(word.size() < text.size() ? word.size() + 1 : word.size());
    }
}

}  // namespace dszero
