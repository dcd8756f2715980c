// SPDX-License-Identifier: MIT
//
// What somebody probably meant to write: hints for messages, never verdicts.
#pragma once

#include <dszero/text/source.hpp>
#include <dszero/text/tree.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

/// JSON's spelling of a literal or number that other languages write otherwise;
/// empty where there is none to offer. "True" -> "true", ".5" -> "0.5".
inline std::string json_spelling(std::string_view written) {
    std::string word;
    for (const char c : written)
        if (c != '_') word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    if (word == "true" || word == "false" || word == "null") return word;
    if (word == "none" || word == "nil" || word == "undefined") return "null";

    if (!word.empty() && word.front() == '+') word.erase(0, 1);
    const std::string sign = !word.empty() && word.front() == '-' ? "-" : "";
    std::string number = word.substr(sign.size());
    if (!number.empty() && number.front() == '.') number.insert(0, "0");
    if (!number.empty() && number.back() == '.') number += '0';
    const auto digits = [&](std::size_t from) {
        std::size_t to = from;
        while (to < number.size() && number[to] >= '0' && number[to] <= '9') ++to;
        return to;
    };
    std::size_t end = digits(0);
    if (end == 0 || (end > 1 && number.front() == '0')) return {};
    if (end < number.size() && number[end] == '.') end = digits(end + 1);
    if (end < number.size() && number[end] == 'e') {
        const bool exponent_signed =
            end + 1 < number.size() && (number[end + 1] == '-' || number[end + 1] == '+');
        end = digits(end + (exponent_signed ? 2 : 1));
    }
    const bool complete = end == number.size() && number.back() >= '0' && number.back() <= '9';
    return complete && written != sign + number ? sign + number : std::string();
}

/// The first bracket to be closed whose closing one begins a line, but stands at another
/// depth than the line of the opening one: a bracket is probably missing between them,
/// or one too many. Empty if there is none. A container that was never closed has an empty span.
inline Span first_misaligned(std::string_view text, const Nodes& nodes) {
    const auto indent_before =
        [&](std::size_t place) {  // blanks between the line's start and the place; npos if more
            std::size_t start = place;
            while (start > 0 && (text[start - 1] == ' ' || text[start - 1] == '\t')) --start;
            const bool first_in_line = start == 0 || text[start - 1] == '\n' || text[start - 1] == '\r';
            return first_in_line ? place - start : std::string_view::npos;
        };
    const auto indent_of_line = [&](std::size_t place) {
        const std::size_t line_end =
            place == 0 ? std::string_view::npos : text.find_last_of("\r\n", place - 1);
        const std::size_t start = line_end == std::string_view::npos ? 0 : line_end + 1;
        return std::min(text.find_first_not_of(" \t", start), place) - start;
    };
    Span found;
    for (const Node& node : nodes) {
        const Span span = node.value;
        if (span.end == span.begin || (text[span.begin] != '{' && text[span.begin] != '[')) continue;
        if (found.end != 0 && found.end < span.end) continue;
        const std::size_t indent = indent_before(span.end - 1);
        if (indent != std::string_view::npos && indent != indent_of_line(span.begin)) found = span;
    }
    return found;
}

/// A piece of the document for use in a message: cut short where it is long.
inline std::string shortened(std::string_view text) {
    constexpr std::size_t most = 40;
    if (text.size() <= most) return std::string(text);
    std::size_t cut = most;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xC0) == 0x80) --cut;
    return std::string(text.substr(0, cut)) + "…";
}

}  // namespace dszero
