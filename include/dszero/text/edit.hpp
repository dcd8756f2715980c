// SPDX-License-Identifier: MIT
//
// Small changes of a document's text that leave everything else, comments and layout
// among it, as it was: replacing a span, taking a member out of an object, putting one in.
#pragma once

#include <dszero/text/diagnostic.hpp>
#include <dszero/text/source.hpp>
#include <dszero/text/tree.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// Replacements of one text; none overlaps another. One with an empty span is an insertion.
using Edits = std::vector<Replacement>;

/// The text after the edits, whatever their order.
inline std::string apply_edits(std::string_view text, Edits edits) {
    std::stable_sort(edits.begin(), edits.end(),
                     [](const Replacement& a, const Replacement& b) { return a.span.begin < b.span.begin; });
    std::string out;
    std::size_t at = 0;
    for (const Replacement& edit : edits) {
        out.append(text.substr(at, edit.span.begin - at)).append(edit.text);
        at = edit.span.end;
    }
    return out.append(text.substr(at));
}

/// Whether two changes concern the same place, so that only one of them can be made.
inline bool collide(const Edits& a, const Edits& b) {
    for (const Replacement& x : a)
        for (const Replacement& y : b)
            if (x.span.begin <= y.span.end && y.span.begin <= x.span.end) return true;
    return false;
}

/// Appends what takes the member at `nodes[member]` out of the object at `nodes[object]`, its comma with it.
void remove_member(std::string_view text, const Nodes& nodes, std::uint32_t object, std::uint32_t member,
                   Edits& edits);

/// Appends what puts a member at the end of the object at `nodes[object]`. `member`: as it is to be written,
/// key and value; `last_is_open`: the last value so far is a string without quotes, which a comma would not
/// end.
void insert_member(std::string_view text, const Nodes& nodes, std::uint32_t object, std::string_view member,
                   bool last_is_open, Edits& edits);

// ---- the parts

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }
constexpr bool is_line_end(char c) { return c == '\n' || c == '\r'; }

inline std::size_t skip_blanks(std::string_view text, std::size_t at) {
    while (at < text.size() && is_blank(text[at])) ++at;
    return at;
}

/// Behind blanks and comments; behind line ends too unless `in_line`.
inline std::size_t skip_filler(std::string_view text, std::size_t at, bool in_line = false) {
    for (;;) {
        at = skip_blanks(text, at);
        const std::string_view rest = text.substr(at);
        if (rest.empty() || (is_line_end(rest[0]) && in_line)) return at;
        if (is_line_end(rest[0])) {
            ++at;
        } else if (rest[0] == '#' || rest.starts_with("//")) {
            at = std::min(text.find_first_of("\r\n", at), text.size());
        } else if (rest.starts_with("/*")) {
            const std::size_t end = rest.find("*/");
            if (end == rest.npos) return text.size();
            if (in_line && rest.substr(0, end).find_first_of("\r\n") != rest.npos) return at;
            at += end + 2;
        } else {
            return at;
        }
    }
}

/// From the line's start to `at` there is nothing but blanks.
inline bool is_first_in_line(std::string_view text, std::size_t at) {
    while (at > 0 && is_blank(text[at - 1])) --at;
    return at == 0 || is_line_end(text[at - 1]);
}

inline std::size_t start_of_line(std::string_view text, std::size_t at) {
    while (at > 0 && !is_line_end(text[at - 1])) --at;
    return at;
}

/// Just behind the line end at `at`.
inline std::size_t behind_line_end(std::string_view text, std::size_t at) {
    if (at < text.size() && text[at] == '\r') ++at;
    if (at < text.size() && text[at] == '\n') ++at;
    return at;
}

inline Replacement removal(std::size_t begin, std::size_t end) {
    return {{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)}, {}};
}

inline void remove_member(std::string_view text, const Nodes& nodes, std::uint32_t object,
                          std::uint32_t member, Edits& edits) {
    std::size_t begin = nodes[member].key.begin, end = nodes[member].value.end;
    std::uint32_t previous = object;
    for (std::uint32_t child = object + 1; child < member; child = nodes[child].end) previous = child;
    const std::size_t next = skip_filler(text, end);
    if (next < text.size() && text[next] == ',') {
        if (skip_blanks(text, end) == next)
            end = next + 1;
        else
            edits.push_back(removal(next, next + 1));
    } else if (previous != object) {  // the last one: the comma before it goes
        const std::size_t comma = skip_filler(text, nodes[previous].value.end);
        if (comma < begin && text[comma] == ',') {
            if (skip_blanks(text, comma + 1) == begin)
                begin = comma;
            else
                edits.push_back(removal(comma, comma + 1));
        }
    }
    const std::size_t rest = skip_blanks(text, end);
    if (rest < text.size() && is_line_end(text[rest]) && is_first_in_line(text, begin)) {
        begin = start_of_line(text, begin);
        end = behind_line_end(text, rest);
    } else if (text[begin] != ',' && rest < text.size() && !is_line_end(text[rest]) && text[rest] != '}') {
        end = rest;
    }
    edits.push_back(removal(begin, end));
}

inline void insert_member(std::string_view text, const Nodes& nodes, std::uint32_t object,
                          std::string_view member, bool last_is_open, Edits& edits) {
    std::uint32_t last = object;
    for (std::uint32_t child = object + 1; child < nodes[object].end; child = nodes[child].end) last = child;
    const auto insert = [&](std::size_t at, std::string what) {
        edits.push_back(removal(at, at));
        edits.back().text = std::move(what);
    };
    if (last == object) {
        const Span span = nodes[object].value;
        const bool braces = span.begin < span.end && text[span.begin] == '{';
        return insert(braces ? span.begin + 1 : text.size(), std::string(member));
    }
    const std::size_t end = nodes[last].value.end;
    const std::size_t comma = skip_filler(text, end);
    const bool has_comma = comma < text.size() && text[comma] == ',';
    const std::size_t line_end = skip_filler(text, has_comma ? comma + 1 : end, true);
    const std::size_t key = nodes[last].key.begin;
    const bool own_line =
        is_first_in_line(text, key) && (line_end == text.size() || is_line_end(text[line_end]));
    if (!own_line) return insert(has_comma ? comma + 1 : end, (has_comma ? " " : ", ") + std::string(member));
    const std::size_t line = start_of_line(text, key);
    const std::string_view new_line = text.find("\r\n") != text.npos ? "\r\n" : "\n";
    if (!has_comma && !last_is_open) insert(end, ",");
    insert(line_end, std::string(new_line).append(text.substr(line, key - line)).append(member));
}

}  // namespace dszero
