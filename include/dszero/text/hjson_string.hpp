// SPDX-License-Identifier: MIT
//
// Hjson's strings in quotes: "…" and '…', which take the same escapes, and
// '''…''', which takes none but may run over several lines.
// A string without escapes is a view of the text; any other is decoded into
// the scanner's own memory.
#pragma once

#include <dszero/text/scanner.hpp>
#include <dszero/text/unicode.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

/// Python's int(characters, 16), to which hjson-py hands whatever four characters follow \u:
/// blanks around, a sign, single underscores and any script's digits are all welcome there. False if it
/// is no number.
inline bool read_int_base_16(std::u32string_view characters, int& out) {
    const auto skip_spaces = [&] {
        const auto is_space = [](char32_t c) {
            return c < 0x80 ? c == ' ' || (c >= 9 && c <= 13) : is_python_space(c);
        };
        while (!characters.empty() && is_space(characters.front())) characters.remove_prefix(1);
    };
    const auto take = [&](char32_t a, char32_t b) {
        const bool there = !characters.empty() && (characters.front() == a || characters.front() == b);
        if (there) characters.remove_prefix(1);
        return there;
    };
    const auto hexadecimal_digit = [](char32_t c) {
        if (c >= U'a' && c <= U'f') return static_cast<int>(c - U'a') + 10;
        if (c >= U'A' && c <= U'F') return static_cast<int>(c - U'A') + 10;
        return decimal_digit(c);
    };
    skip_spaces();
    const bool negative = !characters.empty() && characters.front() == U'-';
    take(U'+', U'-');
    if (characters.size() > 1 && decimal_digit(characters[0]) == 0 &&
        (characters[1] == U'x' || characters[1] == U'X')) {
        characters.remove_prefix(2);
        take(U'_', U'_');
    }
    int number = 0;
    bool more = true;
    while (more) {
        const int digit = characters.empty() ? -1 : hexadecimal_digit(characters.front());
        if (digit < 0) return false;
        number = number * 16 + digit;
        characters.remove_prefix(1);
        more = take(U'_', U'_') || (!characters.empty() && hexadecimal_digit(characters.front()) >= 0);
    }
    skip_spaces();
    out = negative ? -number : number;
    return characters.empty();
}

class HjsonStrings {
public:
    HjsonStrings(Scanner& scanner, bool line_ends_translated)
        : in_(scanner), line_ends_translated_(line_ends_translated), counted_(scanner.text.data()) {}

    /// At a single or double quote.
    const char* read_quoted(const char* const opening, std::string_view& content) {
        const char* p = opening + 1;
        for (;; ++p) {
            p = find_string_stop(p, in_.end);
            if (*p == *opening) break;
            if (*p != '"' && *p != '\'') return read_escaped(opening, p, content);
        }
        content = {opening + 1, static_cast<std::size_t>(p - opening - 1)};
        return p + 1;
    }

    /// At '''.
    const char* read_multiline(const char* opening, std::string_view& content);

    /// Another reading of the same text begins.
    void restart() {
        counted_ = in_.text.data();
        columns_ = 0;
        line_began_ = false;
    }

private:
    static constexpr std::size_t npos = std::string_view::npos;

    const char* read_escaped(const char* opening, const char* p, std::string_view& content);
    const char* read_escape(const char* p, std::string& out);
    const char* read_code_unit(const char* p, int& unit) const;
    std::size_t indent_at(const char* place);

    /// Length of the line end at p, 0 if there is none. Without translation only LF is one.
    std::size_t line_end_at(const char* p) const {
        if (*p == '\n') return 1;
        if (*p != '\r' || !line_ends_translated_) return 0;
        return p[1] == '\n' ? 2 : 1;
    }

    Scanner& in_;
    bool line_ends_translated_;
    // How far lines were counted, and what was found; only ever moves forward.
    const char* counted_;
    std::size_t columns_ = 0;
    bool line_began_ = false;
    std::size_t last_line_ = npos;  // characters in the text's last line, once counted
};

inline const char* HjsonStrings::read_escaped(const char* opening, const char* p, std::string_view& content) {
    std::string& out = in_.decoding();
    const std::size_t begin = out.size();
    const char* copied = opening + 1;
    for (;;) {
        p = find_string_stop(p, in_.end);
        if (*p == *opening) break;
        if (*p == '"' || *p == '\'') {
            ++p;
        } else if (*p == '\\') {
            out.append(copied, p);
            copied = p = read_escape(p, out);
            if (p == nullptr) return nullptr;
        } else {
            return in_.unfinished_string(opening, p);
        }
    }
    out.append(copied, p);
    content = std::string_view(out).substr(begin);
    return p + 1;
}

inline const char* HjsonStrings::read_escape(const char* p, std::string& out) {
    if (p[1] == '\'' || p[1] == 'u') in_.beyond_json = true;  // \u takes more than four digits
    constexpr std::string_view letters = "\"'\\/bfnrt";
    constexpr std::string_view meanings = "\"'\\/\b\f\n\r\t";
    const std::size_t which = p + 1 == in_.end ? std::string_view::npos : letters.find(p[1]);
    if (which != std::string_view::npos) {
        out += meanings[which];
        return p + 2;
    }
    if (p[1] != 'u') return in_.unknown_escape(p);
    int unit = 0;
    const char* after = read_code_unit(p + 2, unit);
    if (after == nullptr) return in_.malformed_unicode_escape(p);
    if (unit < 0)
        return in_.fail(Failure::fatal, "syntax", in_.span(p, after),
                        "\\u with a negative number: DeepSpeed's reader crashes on it",
                        "write four hexadecimal digits after \\u");
    auto character = static_cast<char32_t>(unit);
    if ((unit & 0xFC00) == 0xD800 && looking_at(after, "\\u")) {
        int second = 0;
        const char* const after_both = read_code_unit(after + 2, second);
        if (after_both != nullptr && second >= 0xDC00 && second <= 0xDFFF) {
            character = static_cast<char32_t>(0x10000 + ((unit - 0xD800) << 10) + (second - 0xDC00));
            after = after_both;
        }
    }
    append_code_point(out, character);
    return after;
}

/// Four characters of the text, whatever they are: a translated line end is one of them.
inline const char* HjsonStrings::read_code_unit(const char* p, int& unit) const {
    char32_t characters[4] = {};
    for (char32_t& character : characters) {
        if (p == in_.end) return nullptr;
        const CodePoint c = code_point_at(in_.text, in_.offset(p));
        const std::size_t line_end_length = line_end_at(p);
        character = line_end_length > 0 ? U'\n' : c.value;
        p += line_end_length > 0 ? line_end_length : c.length;
    }
    if (characters[1] == U'x' || characters[1] == U'X') return nullptr;
    return read_int_base_16({characters, 4}, unit) ? p : nullptr;
}

inline const char* HjsonStrings::read_multiline(const char* const opening, std::string_view& content) {
    const Span marks = in_.span(opening, opening + 3);
    const std::size_t indent = indent_at(opening);
    if (indent == npos)
        return in_.fail(Failure::fatal, "syntax", marks,
                        "DeepSpeed's reader crashes on a ''' string in a text without any line end",
                        "end the text with a line end, or use a string in double quotes");
    const auto skip_indent = [this](const char* p, std::size_t most) {
        while (most > 0 && (*p == ' ' || *p == '\t' || (*p == '\r' && !line_ends_translated_))) ++p, --most;
        return p;
    };
    const char* p = skip_indent(opening + 3, npos);
    if (p == in_.end)
        return in_.fail(Failure::fatal, "syntax", marks, "the text ends right after these '''",
                        "close the string with '''");
    if (const std::size_t length = line_end_at(p)) p = skip_indent(p + length, indent);

    std::string& out = in_.decoding();
    const std::size_t begin = out.size();
    for (;;) {
        if (p == in_.end)
            return in_.syntax_error(marks, "this ''' string is never closed", "close it with another '''");
        if (looking_at(p, "'''")) break;
        if (const std::size_t length = line_end_at(p)) {
            out += '\n';
            p = skip_indent(p + length, indent);
        } else {
            if (*p != '\r') out += *p;
            ++p;
        }
    }
    if (out.size() > begin && out.back() == '\n') out.pop_back();
    content = std::string_view(out).substr(begin);
    return p + 3;
}

/// How many characters stand before `place` in its line: so many blanks later lines lose.
/// hjson-py looks back for the line end by index, and so runs on past the start of the
/// text to its end. For the first line that adds the characters of the last one; without
/// any line end it finds nothing (and crashes): npos.
inline std::size_t HjsonStrings::indent_at(const char* place) {
    const auto count = [this](const char* from, const char* to, std::size_t& columns) {
        bool line_began = false;
        while (from < to) {
            const std::size_t length = line_end_at(from);
            if (length > 0) {
                columns = 0;
                line_began = true;
                from += length;
            } else {
                columns += (static_cast<unsigned char>(*from) & 0xC0) != 0x80;
                ++from;
            }
        }
        return line_began;
    };
    if (count(counted_, place, columns_)) line_began_ = true;
    counted_ = place;
    if (line_began_) return columns_;
    if (last_line_ == npos) {
        std::size_t columns = 0;
        if (!count(place, in_.end, columns)) return npos;
        last_line_ = columns;
    }
    return columns_ + last_line_;
}

}  // namespace dszero
