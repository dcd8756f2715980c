// SPDX-License-Identifier: MIT
//
// Writes JSON in plain ASCII, so that a line is a line for every reader.
// Numbers look as Python prints them (0.1, 1.0, 1e-05), and what JSON has no
// word for becomes {"float": "nan"}. Never throws for what a value or a string
// holds: lone surrogates (strings are WTF-8) come out as escapes, bytes that
// are no text as U+FFFD. One level of a value takes one level of the stack.
#pragma once

#include <dszero/text/unicode.hpp>

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dszero {

enum class JsonLayout {
    line,      ///< {"a":1,"b":[2,3]}
    indented,  ///< Each member and element on its own line, two columns deeper.
};

/// Appends `value` to `out`. A value below another one starts at `depth`.
void append_json(std::string& out, const nlohmann::ordered_json& value, JsonLayout layout = JsonLayout::line,
                 std::size_t depth = 0);

inline std::string write_json(const nlohmann::ordered_json& value, JsonLayout layout = JsonLayout::line) {
    std::string out;
    append_json(out, value, layout);
    return out;
}

/// A UTF-16 code unit as JSON, Python and C escape it: \ud83d.
inline void append_escape(std::string& out, char32_t unit) {
    constexpr char digits[] = "0123456789abcdef";
    out += "\\u";
    for (int shift = 12; shift >= 0; shift -= 4) out += digits[unit >> shift & 0xF];
}

/// A string in its quotes.
inline void append_json_string(std::string& out, std::string_view text) {
    out += '"';
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = code_point_at(text, i);
        i += c.length;
        switch (c.value) {
            case '"': out += "\\\""; break;
            case '\\': out += "\\\\"; break;
            case '\n': out += "\\n"; break;
            case '\r': out += "\\r"; break;
            case '\t': out += "\\t"; break;
            case '\b': out += "\\b"; break;
            case '\f': out += "\\f"; break;
            default:
                if (c.value >= 0x20 && c.value < 0x7F) {
                    out += static_cast<char>(c.value);
                } else if (c.is_bad_byte()) {
                    out += "\\ufffd";
                } else if (c.value >= 0x10000) {
                    append_escape(out, 0xD800 + ((c.value - 0x10000) >> 10));
                    append_escape(out, 0xDC00 + (c.value & 0x3FF));
                } else {
                    append_escape(out, c.value);
                }
        }
    }
    out += '"';
}

inline void append_json_integer(std::string& out, std::int64_t number) { out += std::to_string(number); }
inline void append_json_integer(std::string& out, std::uint64_t number) { out += std::to_string(number); }

/// The fewest digits that read back as the same double, laid out as Python's repr does.
inline void append_json_double(std::string& out, double number) {
    if (!std::isfinite(number)) {
        const char* word = std::isnan(number) ? "nan" : number > 0 ? "inf" : "-inf";
        out.append("{\"float\":\"").append(word).append("\"}");
        return;
    }
    const double magnitude = std::fabs(number);
    const bool plain = magnitude == 0 || (magnitude >= 1e-4 && magnitude < 1e16);
    const auto format = plain ? std::chars_format::fixed : std::chars_format::scientific;
    char buffer[32];
    const char* end = std::to_chars(buffer, buffer + sizeof buffer, number, format).ptr;
    const std::string_view digits(buffer, static_cast<std::size_t>(end - buffer));
    out += digits;
    if (plain && digits.find('.') == std::string_view::npos) out += ".0";  // so that a float stays one
}

inline void append_json(std::string& out, const nlohmann::ordered_json& value, JsonLayout layout,
                        std::size_t depth) {
    using J = nlohmann::ordered_json;
    const auto new_line = [&](std::size_t line_depth) {
        if (layout == JsonLayout::indented) out.append(1, '\n').append(2 * line_depth, ' ');
    };
    const auto start_item = [&](bool first) {
        if (!first) out += ',';
        new_line(depth + 1);
    };
    switch (value.type()) {
        case J::value_t::object: {
            const auto& members = *value.get_ptr<const J::object_t*>();
            out += '{';
            bool first = true;
            for (const auto& [key, member] : members) {
                start_item(first);
                append_json_string(out, key);
                out += layout == JsonLayout::indented ? ": " : ":";
                append_json(out, member, layout, depth + 1);
                first = false;
            }
            if (!members.empty()) new_line(depth);
            out += '}';
            break;
        }
        case J::value_t::array: {
            const auto& elements = *value.get_ptr<const J::array_t*>();
            out += '[';
            bool first = true;
            for (const J& element : elements) {
                start_item(first);
                append_json(out, element, layout, depth + 1);
                first = false;
            }
            if (!elements.empty()) new_line(depth);
            out += ']';
            break;
        }
        case J::value_t::string: append_json_string(out, *value.get_ptr<const J::string_t*>()); break;
        case J::value_t::boolean: out += *value.get_ptr<const J::boolean_t*>() ? "true" : "false"; break;
        case J::value_t::number_integer:
            append_json_integer(out, *value.get_ptr<const J::number_integer_t*>());
            break;
        case J::value_t::number_unsigned:
            append_json_integer(out, *value.get_ptr<const J::number_unsigned_t*>());
            break;
        case J::value_t::number_float:
            append_json_double(out, *value.get_ptr<const J::number_float_t*>());
            break;
        case J::value_t::null:
        case J::value_t::binary:     // no JSON text gives one
        case J::value_t::discarded:  // nor this
            out += "null";
            break;
    }
}

}  // namespace dszero
