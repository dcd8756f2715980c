// SPDX-License-Identifier: MIT
//
// What both dialects need to move through a text: classes of characters, fast ways
// over blanks and strings, and the one problem that stops the reading.
// A reading function takes the place where it begins and returns the place where
// reading goes on, nullptr after a failure: so the place stays in a register.
// A std::string ends in NUL, so the character at the end may be looked at without
// asking; whoever meets a NUL asks whether it is the end.
#pragma once

#include <dszero/text/diagnostic.hpp>
#include <dszero/text/source.hpp>
#include <dszero/text/unicode.hpp>

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// Sets of characters, to be combined: skip_until(at, quote_stop).
enum CharacterClass : unsigned char {
    blank = 1,        ///< Space, tab, line ends: what JSON calls white space.
    line_end = 2,     ///< CR, LF.
    string_stop = 4,  ///< Quotes, backslash, control characters.
    key_stop = 8,     ///< What ends or spoils a key without quotes.
    value_stop = 16,  ///< What can end a literal or number: , } ] # / and line ends.
    ascii_digit = 32,
    gap = 64,  ///< White space, and what begins one of Hjson's comments: # /
};

inline constexpr std::array<unsigned char, 256> character_classes = [] {
    std::array<unsigned char, 256> classes{};
    const auto add = [&](std::string_view characters, CharacterClass kind) {
        for (const char c : characters) classes[static_cast<unsigned char>(c)] |= kind;
    };
    add(" \t\r\n", blank);
    add("\r\n", line_end);
    add("\"'\\", string_stop);
    for (std::size_t c = 0; c < 0x20; ++c) classes[c] |= string_stop;
    add(std::string_view(":{}[], \t\r\n\0", 11), key_stop);
    add(std::string_view(",}]#/\r\n\0", 8), value_stop);
    add("0123456789", ascii_digit);
    add(" \t\r\n#/", gap);
    return classes;
}();

constexpr bool is(char c, CharacterClass kind) {
    return (character_classes[static_cast<unsigned char>(c)] & kind) != 0;
}

// Most characters of a document are indentation or parts of strings. Both are passed
// eight at a time: the loops then run too few rounds for their ends to surprise the processor.

constexpr bool little_endian = std::endian::native == std::endian::little;

inline const char* skip_blanks(const char* p, const char* end) {
    constexpr std::uint64_t spaces = 0x2020202020202020;
    while (is(*p, blank)) {
        ++p;
        while (little_endian && end - p >= 8) {
            const std::uint64_t others = eight_bytes(p) ^ spaces;
            if (others != 0) {
                p += std::countr_zero(others) / 8;
                break;
            }
            p += 8;
        }
    }
    return p;
}

/// Whether a word without NULs stands at p.
inline bool looking_at(const char* p, std::string_view word) {
    for (const char c : word)
        if (*p++ != c) return false;  // at the latest at the NUL behind the text
    return true;
}

/// The next quote of either kind, backslash, control character or end of the text.
inline const char* find_string_stop(const char* p, const char* end) {
    constexpr std::uint64_t each = 0x0101010101010101;
    while (little_endian && end - p >= 8) {
        const std::uint64_t block = eight_bytes(p);
        // Subtracting borrows into the high bit of a byte that is too small; the lowest such byte is certain.
        const auto zeros = [&](std::uint64_t bytes) { return (bytes - each) & ~bytes; };
        const std::uint64_t stops = zeros(block ^ each * '"') | zeros(block ^ each * '\'') |
                                    zeros(block ^ each * '\\') | ((block - each * 0x20) & ~block);
        if (const std::uint64_t found = stops & (each * 0x80)) return p + std::countr_zero(found) / 8;
        p += 8;
    }
    while (!is(*p, string_stop)) ++p;
    return p;
}

/// Why reading stopped.
enum class Failure : unsigned char {
    none,
    syntax,  ///< The text breaks a rule of the dialect; another way of reading it may be tried.
    fatal,   ///< The reader of DeepSpeed gives up altogether: a number out of range, a crash of its own.
};

struct Scanner {
    std::string_view text;
    const char* end;
    std::string decoded;  ///< Strings with escapes, one behind the other; never grows beyond the text, so
                          ///< never moves.
    Failure failure = Failure::none;
    Diagnostic problem;        ///< If there is a failure.
    bool beyond_json = false;  ///< Tree::beyond_json

    /// `whole` must be followed by a NUL, as the text of a std::string is.
    explicit Scanner(std::string_view whole) : text(whole), end(whole.data() + whole.size()) {}

    std::uint32_t offset(const char* place) const { return static_cast<std::uint32_t>(place - text.data()); }
    Span span(const char* from, const char* to) const { return {offset(from), offset(to)}; }
    std::string_view rest(const char* from) const { return {from, static_cast<std::size_t>(end - from)}; }

    /// Where decoded strings are collected: room for all there can be is made once.
    std::string& decoding() {
        if (decoded.capacity() < text.size()) decoded.reserve(text.size());
        return decoded;
    }

    void restart() {
        decoded.clear();
        failure = Failure::none;
        problem = Diagnostic{};
    }

    /// Always nullptr, so that a reader can `return fail(…)`.
    std::nullptr_t fail(Failure why, const char* code, Span where, std::string message,
                        std::string hint = {}) {
        failure = why;
        problem = Diagnostic{};
        problem.code = code;
        problem.range = unlocated(where);
        problem.message = std::move(message);
        problem.hint = std::move(hint);
        return nullptr;
    }

    std::nullptr_t syntax_error(Span where, std::string message, std::string hint = {}) {
        return fail(Failure::syntax, "syntax", where, std::move(message), std::move(hint));
    }

    /// The character at a place, as a range to point at; empty at the end.
    Span character(const char* place) const {
        return place == end ? span(end, end) : span(place, place + code_point_at(text, offset(place)).length);
    }

    /// "line 7"
    std::string line_of(std::size_t place) const {
        return "line " + std::to_string(located(text, place).line);
    }

    /// What stands at a place, for a message: the end of the text, a word, a character.
    std::string found(const char* place) const;

    // The problems of strings in quotes, which both dialects have.
    std::nullptr_t unfinished_string(const char* opening, const char* stop);
    std::nullptr_t unknown_escape(const char* backslash);
    std::nullptr_t malformed_unicode_escape(const char* backslash);
};

inline std::string Scanner::found(const char* place) const {
    if (place == end) return "the end of the text";
    if (is(*place, line_end)) return "the end of the line";
    const auto in_word = [](char c) {
        return is(c, ascii_digit) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
    };
    constexpr std::size_t long_word = 24;
    std::size_t length = 0;
    while (length < long_word && in_word(place[length])) ++length;
    if (length > 0) return "'" + std::string(place, length) + "'";
    const CodePoint c = code_point_at(text, offset(place));
    if (c.value > 0x20 && c.value < 0x7F) return "'" + std::string(place, 1) + "'";
    constexpr const char* hexadecimal = "0123456789ABCDEF";
    std::string number;
    for (int shift = c.value > 0xFFFF ? 20 : 12; shift >= 0; shift -= 4)
        number += hexadecimal[(c.value >> shift) & 0xF];
    if (c.value <= 0x20 || c.value == 0x7F) return "the character U+" + number;
    return "'" + std::string(place, c.length) + "' (U+" + number + ")";
}

/// A string ran into something that ends no string: a control character or the end of the text.
inline std::nullptr_t Scanner::unfinished_string(const char* opening, const char* stop) {
    if (stop == end || is(*stop, line_end))
        return syntax_error(span(opening, stop), "this string has no closing " + std::string(1, *opening),
                            "a string in quotes ends on its line; inside it a line end is written \\n");
    const std::string hint =
        *stop == '\t' ? "write \\t" : "control characters are written as escapes: \\u00XX";
    return syntax_error(character(stop),
                        "a string in quotes cannot hold " + found(stop) + ", a control character", hint);
}

inline std::nullptr_t Scanner::unknown_escape(const char* backslash) {
    const char* const letter = backslash + 1;
    if (letter == end || is(*letter, line_end))
        return syntax_error(span(backslash, letter), "this string ends in the middle of an escape sequence",
                            "write \\\\ for a backslash");
    return syntax_error({offset(backslash), character(letter).end},
                        "no escape sequence begins with \\ and " + found(letter),
                        "write \\\\ for a backslash");
}

inline std::nullptr_t Scanner::malformed_unicode_escape(const char* backslash) {
    return syntax_error(span(backslash, backslash + 2), "\\u must be followed by four hexadecimal digits",
                        "write \\\\ for a backslash");
}

}  // namespace dszero
