// SPDX-License-Identifier: MIT
//
// Behind render.hpp: diagnostics as text and as JSON.
#pragma once

#include <dszero/compiled.hpp>
#include <dszero/text/render.hpp>
#include <dszero/text/snippet.hpp>
#include <dszero/text/write_json.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace dszero {

DSZERO_INLINE std::string render_text(const Source& source, const Diagnostics& diagnostics, Style style) {
    constexpr std::string_view colours[] = {"\x1b[1;31m", "\x1b[1;35m",
                                            "\x1b[1;36m"};  // error, warning, note
    constexpr std::string_view bold = "\x1b[1m", normal = "\x1b[0m";
    std::string out;
    const auto in_colour = [&](std::string_view colour, const auto& append) {
        if (style == Style::colour) out += colour;
        append();
        if (style == Style::colour) out += normal;
    };

    for (const Diagnostic& d : diagnostics) {
        const std::string_view colour = colours[static_cast<std::size_t>(d.severity)];
        const Position& at = d.range.begin;
        in_colour(bold, [&] {
            append_visible(out, source.name);
            out += ':';
            if (at.line != 0) {
                out.append(std::to_string(at.line)).append(":").append(std::to_string(at.column)).append(":");
            } else if (!d.pointer.empty()) {
                append_visible(out, d.pointer);
                out += ':';
            }
            out += ' ';
        });
        in_colour(colour, [&] { out.append(to_string(d.severity)).append(": "); });
        append_visible(out, d.message);
        out.append(" [").append(d.code).append("]\n");

        if (at.line != 0) {
            const Snippet shown = snippet(source.text, {static_cast<std::uint32_t>(at.offset),
                                                        static_cast<std::uint32_t>(d.range.end.offset)});
            if (shown.line.find_first_not_of(' ') != std::string::npos) {
                out.append("  ").append(shown.line).append("\n  ").append(shown.caret, ' ');
                in_colour(colour, [&] { out.append("^").append(shown.marked - 1, '~'); });
                out += '\n';
            }
        }
        if (!d.hint.empty()) {
            out += "  hint: ";
            append_visible(out, d.hint);
            out += '\n';
        }
    }
    return out;
}

DSZERO_INLINE std::string render_json(const Diagnostics& diagnostics) {
    std::string out = "[";
    for (const Diagnostic& d : diagnostics) {
        const auto number = [&](std::string_view key, std::size_t value) {
            out.append(key).append(d.range.begin.line == 0 ? "null" : std::to_string(value));
        };
        const auto text = [&](std::string_view key, std::string_view value) {
            out += key;
            append_json_string(out, value);
        };
        text(out.size() > 1 ? ",{\"severity\":" : "{\"severity\":", to_string(d.severity));
        text(",\"code\":", d.code);
        text(",\"pointer\":", d.pointer);
        number(",\"line\":", d.range.begin.line);
        number(",\"column\":", d.range.begin.column);
        number(",\"end_line\":", d.range.end.line);
        number(",\"end_column\":", d.range.end.column);
        text(",\"message\":", d.message);
        if (d.hint.empty()) {
            out += ",\"hint\":null";
        } else {
            text(",\"hint\":", d.hint);
        }
        if (d.first) out += ",\"first\":true";
        out += '}';
    }
    return out += ']';
}

}  // namespace dszero
