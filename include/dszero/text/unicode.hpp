// SPDX-License-Identifier: MIT
//
// As much of Unicode as Python's str brings into the reading of a document:
// UTF-8, which characters are blanks, which are decimal digits.
// Strings inside this library are WTF-8: UTF-8 in which a lone surrogate, which
// Python's strings may hold, is written with three bytes like any other character.
// Tables are those of Python 3.11 (Unicode 14).
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace dszero {

struct CodePoint {
    char32_t value = 0;
    std::size_t length = 1;  ///< In bytes.

    /// A byte, 0x80 to 0xFF, that is part of no character.
    constexpr bool is_bad_byte() const { return length == 1 && value >= 0x80; }
};

constexpr bool is_surrogate(char32_t c) { return c >= 0xD800 && c <= 0xDFFF; }

/// The character that starts at `offset`, which must lie inside the text.
/// A byte that starts no well-formed character stands for itself, alone.
constexpr CodePoint code_point_at(std::string_view text, std::size_t offset) {
    const auto byte = [&](std::size_t i) -> char32_t { return static_cast<unsigned char>(text[offset + i]); };
    const char32_t lead = byte(0);
    const std::size_t length = lead < 0xC2 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 1;
    if (length == 1 || length > text.size() - offset) return {lead, 1};
    char32_t value = lead & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xC0) != 0x80) return {lead, 1};
        value = (value << 6) | (byte(i) & 0x3F);
    }
    const bool overlong = (length == 3 && value < 0x800) || (length == 4 && value < 0x10000);
    if (overlong || value > 0x10FFFF) return {lead, 1};
    return {value, length};
}

/// Where the character begins that ends just before `offset`, which must not be 0.
constexpr std::size_t previous_character(std::string_view text, std::size_t offset) {
    std::size_t begin = offset - 1;
    while (begin > 0 && offset - begin < 4 && (static_cast<unsigned char>(text[begin]) & 0xC0) == 0x80)
        --begin;
    return begin;
}

/// Number of characters in well-formed text.
inline std::size_t count_characters(std::string_view text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

inline void append_code_point(std::string& out, char32_t value) {
    const auto add = [&](char32_t byte) { out += static_cast<char>(static_cast<unsigned char>(byte)); };
    if (value < 0x80) return add(value);
    if (value < 0x800) {
        add(0xC0 | (value >> 6));
    } else {
        if (value < 0x10000) {
            add(0xE0 | (value >> 12));
        } else {
            add(0xF0 | (value >> 18));
            add(0x80 | ((value >> 12) & 0x3F));
        }
        add(0x80 | ((value >> 6) & 0x3F));
    }
    add(0x80 | (value & 0x3F));
}

/// Offset of the first byte that Python's strict decoder objects to; npos if there is none.
/// (Overlong forms, surrogates and everything above U+10FFFF are refused.)
inline std::size_t find_invalid_utf8(std::string_view text) {
    const std::size_t size = text.size();
    std::size_t i = 0;
    while (i < size) {
        if (size - i >= 32) {  // ASCII, as texts mostly are, in large steps
            std::uint64_t blocks[4];
            std::memcpy(blocks, text.data() + i, sizeof blocks);
            if (((blocks[0] | blocks[1] | blocks[2] | blocks[3]) & 0x8080808080808080u) == 0) {
                i += sizeof blocks;
                continue;
            }
        }
        if (static_cast<unsigned char>(text[i]) < 0x80) {
            ++i;
            continue;
        }
        const CodePoint c = code_point_at(text, i);
        if (c.is_bad_byte() || is_surrogate(c.value)) return i;
        i += c.length;
    }
    return std::string_view::npos;
}

/// What str.strip() removes.
constexpr bool is_python_space(char32_t c) {
    if (c < 0x80) return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20);
    return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
           c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

/// 0 to 9 for a character of category Nd, which int(), float() and the \d of
/// regular expressions all take; -1 for any other.
inline int decimal_digit(char32_t c) {
    if (c < 0x80) return c >= U'0' && c <= U'9' ? static_cast<int>(c - U'0') : -1;
    static constexpr char32_t zeros[] = {
        0x0660,  0x06F0,  0x07C0,  0x0966,  0x09E6,  0x0A66,  0x0AE6,  0x0B66,  0x0BE6,  0x0C66,  0x0CE6,
        0x0D66,  0x0DE6,  0x0E50,  0x0ED0,  0x0F20,  0x1040,  0x1090,  0x17E0,  0x1810,  0x1946,  0x19D0,
        0x1A80,  0x1A90,  0x1B50,  0x1BB0,  0x1C40,  0x1C50,  0xA620,  0xA8D0,  0xA900,  0xA9D0,  0xA9F0,
        0xAA50,  0xABF0,  0xFF10,  0x104A0, 0x10D30, 0x11066, 0x110F0, 0x11136, 0x111D0, 0x112F0, 0x11450,
        0x114D0, 0x11650, 0x116C0, 0x11730, 0x118E0, 0x11950, 0x11C50, 0x11D50, 0x11DA0, 0x16A60, 0x16AC0,
        0x16B50, 0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6, 0x1E140, 0x1E2F0, 0x1E950, 0x1FBF0};
    const char32_t* after = std::upper_bound(std::begin(zeros), std::end(zeros), c);
    if (after == std::begin(zeros)) return -1;
    const char32_t distance = c - *(after - 1);
    return distance < 10 ? static_cast<int>(distance) : -1;
}

/// Python's str.rstrip().
constexpr std::string_view strip_right(std::string_view text) {
    while (!text.empty()) {
        const std::size_t last = previous_character(text, text.size());
        if (!is_python_space(code_point_at(text, last).value)) break;
        text = text.substr(0, last);
    }
    return text;
}

/// Python's str.strip().
constexpr std::string_view strip(std::string_view text) {
    while (!text.empty()) {
        const CodePoint first = code_point_at(text, 0);
        if (!is_python_space(first.value)) break;
        text.remove_prefix(first.length);
    }
    return strip_right(text);
}

/// The text with every decimal digit written in ASCII.
inline std::string ascii_digits(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = code_point_at(text, i);
        const int digit = decimal_digit(c.value);
        if (digit >= 0) {
            out += static_cast<char>('0' + digit);
        } else {
            out += text.substr(i, c.length);
        }
        i += c.length;
    }
    return out;
}

}  // namespace dszero
