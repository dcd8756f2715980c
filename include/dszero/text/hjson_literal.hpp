// SPDX-License-Identifier: MIT
//
// The few values without quotes that Hjson does not take for strings: true,
// false, null and numbers. What makes them so is what follows: the value must
// end there, or else all of the line is a string.
#pragma once

#include <dszero/text/scanner.hpp>
#include <dszero/text/unicode.hpp>

#include <string_view>

namespace dszero {

/// Whether a literal or number can end here.
inline bool value_ends_at(const Scanner& in, const char* p) {
    if (!is(*p, value_stop)) return false;
    if (*p == '/') return p[1] == '/' || p[1] == '*';
    return *p != '\0' || p == in.end;
}

/// The place behind the word and the blanks after it, if a value ends there.
inline const char* match_word(const Scanner& in, const char* p, std::string_view word) {
    if (!looking_at(p, word)) return nullptr;
    p += word.size();
    while (!value_ends_at(in, p)) {
        if (p == in.end) return nullptr;
        const CodePoint c = code_point_at(in.text, in.offset(p));
        if (!is_python_space(c.value)) return nullptr;
        p += c.length;
    }
    return p;
}

struct MatchedNumber {
    const char* end = nullptr;  ///< nullptr: no number after all.
    bool integer = true;        ///< Neither point nor exponent.
    bool ascii = true;
};

inline const char* skip_digits(const Scanner& in, const char* p, MatchedNumber& number) {
    for (;;) {
        while (is(*p, ascii_digit)) ++p;
        if (static_cast<unsigned char>(*p) < 0x80) return p;
        const CodePoint c = code_point_at(in.text, in.offset(p));
        if (decimal_digit(c.value) < 0) return p;
        number.ascii = false;
        p += c.length;
    }
}

/// -?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)? and blanks, and then the value must end. Where \d is,
/// digits of any script will do.
inline MatchedNumber match_number(const Scanner& in, const char* p) {
    MatchedNumber number;
    if (*p == '-') ++p;
    if (!is(*p, ascii_digit)) return {};  // the first digit must be ASCII, the others need not
    p = *p == '0' ? p + 1 : skip_digits(in, p, number);
    if (*p == '.') {
        const char* const after = skip_digits(in, p + 1, number);
        if (after == p + 1) return {};
        number.integer = false;
        p = after;
    }
    if (*p == 'e' || *p == 'E') {
        const char* const digits = p + (p[1] == '-' || p[1] == '+' ? 2 : 1);
        const char* const after = skip_digits(in, digits, number);
        if (after == digits) return {};
        number.integer = false;
        p = after;
    }
    number.end = p;
    while (*p == ' ' || *p == '\t') ++p;
    return value_ends_at(in, p) ? number : MatchedNumber{};
}

}  // namespace dszero
