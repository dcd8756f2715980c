// SPDX-License-Identifier: MIT
//
// Somebody's text on a terminal, where it can do nothing: control characters, bad bytes
// and characters that reorder or hide text are shown as \x1b or \u202e.
#pragma once

#include <dszero/text/display_width.hpp>
#include <dszero/text/source.hpp>
#include <dszero/text/unicode.hpp>
#include <dszero/text/write_json.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

/// Characters that show nothing, or change how those around them show.
inline bool is_invisible(char32_t code) {
    const auto between = [code](char32_t first, char32_t last) { return first <= code && code <= last; };
    return between(0, 0x1F) || between(0x7F, 0x9F)                // C0 and C1 controls
           || is_surrogate(code)                                  // a lone one
           || code == 0x61C || code == 0x200E || code == 0x200F   // direction marks
           || between(0x2028, 0x202E) || between(0x2066, 0x2069)  // separators, direction
           || code == 0x200B || code == 0xFEFF;                   // without any width
}

/// Appends `text` as it may reach a terminal; the number of columns it takes there.
inline std::size_t append_visible(std::string& out, std::string_view text) {
    constexpr std::string_view tab = "    ";
    constexpr char digits[] = "0123456789abcdef";
    std::size_t columns = 0;
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = code_point_at(text, i);
        if (c.value == '\t') {
            out += tab;
            columns += tab.size();
        } else if (c.is_bad_byte() || (c.value < 0x80 && is_invisible(c.value))) {
            out.append("\\x").append(1, digits[c.value >> 4]).append(1, digits[c.value & 0xF]);
            columns += 4;
        } else if (is_invisible(c.value)) {
            append_escape(out, c.value);
            columns += 6;
        } else {
            out += text.substr(i, c.length);
            columns += display_width(c.value);
        }
        i += c.length;
    }
    return columns;
}

/// The part of a line that is shown for a diagnostic, and what is marked below it.
struct Snippet {
    std::string line;
    std::size_t caret = 0;   ///< Columns before the caret.
    std::size_t marked = 1;  ///< Columns marked, the caret's included.
};

/// The first line of `span`, without its indentation; a long one cut to a window around the caret.
inline Snippet snippet(std::string_view text, Span span) {
    constexpr std::size_t widest = 100;  // columns
    constexpr std::size_t reach =
        400;  // bytes looked at on either side of the caret, marks without width included
    constexpr std::string_view ellipsis = "...";
    const auto ends_line = [&](std::size_t i) { return text[i] == '\n' || text[i] == '\r'; };

    std::size_t caret = std::min<std::size_t>(span.begin, text.size());
    if (caret > 0 && caret < text.size() && text[caret] == '\n' && text[caret - 1] == '\r') --caret;

    std::string scratch;
    const auto width = [&](std::size_t from, std::size_t to) {
        scratch.clear();
        return append_visible(scratch, text.substr(from, to - from));
    };
    struct Stretch {
        std::size_t to;
        std::size_t columns = 0;
    };
    const auto forward = [&](std::size_t room) {
        Stretch stretch{caret};
        while (stretch.to < text.size() && stretch.to - caret < reach && !ends_line(stretch.to)) {
            const std::size_t next = stretch.to + code_point_at(text, stretch.to).length;
            const std::size_t columns = stretch.columns + width(stretch.to, next);
            if (columns > room) break;
            stretch = {next, columns};
        }
        return stretch;
    };
    const auto backward = [&](std::size_t room) {
        Stretch stretch{caret};
        while (stretch.to > 0 && caret - stretch.to < reach && !ends_line(stretch.to - 1)) {
            std::size_t next = stretch.to - 1;
            for (std::size_t size = 2; size <= std::min<std::size_t>(4, stretch.to); ++size) {
                if (code_point_at(text, stretch.to - size).length == size) next = stretch.to - size;
            }
            const std::size_t columns = stretch.columns + width(next, stretch.to);
            if (columns > room) break;
            stretch = {next, columns};
        }
        return stretch;
    };
    const std::size_t wanted_behind = forward(widest).columns;
    const Stretch before = backward(std::max(widest / 3, widest - wanted_behind));
    const std::size_t end = forward(widest - before.columns).to;
    std::size_t begin = before.to;
    const bool cut_before = begin > 0 && !ends_line(begin - 1);
    const bool cut_behind = end < text.size() && !ends_line(end);
    while (!cut_before && begin < caret && (text[begin] == ' ' || text[begin] == '\t')) ++begin;

    Snippet result;
    if (cut_before) result.line = ellipsis;
    result.caret = result.line.size() + append_visible(result.line, text.substr(begin, caret - begin));
    const std::size_t marked_end = std::clamp<std::size_t>(span.end, caret, end);
    result.marked =
        std::max<std::size_t>(1, append_visible(result.line, text.substr(caret, marked_end - caret)));
    append_visible(result.line, text.substr(marked_end, end - marked_end));
    if (cut_behind) result.line += ellipsis;
    return result;
}

}  // namespace dszero
