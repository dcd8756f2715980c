// SPDX-License-Identifier: MIT
//
// Diagnostics as GitHub's workflow commands: lines of a job's log that GitHub
// shows beside the changed lines.
// https://docs.github.com/actions/reference/workflow-commands-for-github-actions
#pragma once

#include <dszero/text/diagnostic.hpp>
#include <dszero/text/render.hpp>
#include <dszero/text/snippet.hpp>

#include <string>
#include <string_view>

namespace dszero {

/// One line for each diagnostic:
///
///     ::error
///     file=ds_config.json,line=3,col=25,endLine=3,endColumn=27,title=out-of-bounds::reduce_bucket_size …
std::string render_annotations(const Source& source, const Diagnostics& diagnostics);

/// What would end a command, or one of its properties, is escaped.
inline void append_escaped(std::string& out, std::string_view text, bool property) {
    std::string visible;
    append_visible(visible, text);
    for (const char c : visible) {
        switch (c) {
            case '%': out += "%25"; break;
            case ':': out += property ? "%3A" : ":"; break;
            case ',': out += property ? "%2C" : ","; break;
            default: out += c;
        }
    }
}

inline std::string render_annotations(const Source& source, const Diagnostics& diagnostics) {
    std::string out;
    for (const Diagnostic& d : diagnostics) {
        constexpr std::string_view commands[] = {"::error", "::warning", "::notice"};
        out.append(commands[static_cast<std::size_t>(d.severity)]).append(" file=");
        append_escaped(out, source.name, true);
        const auto number = [&](std::string_view key, std::size_t value) {
            out.append(key).append(std::to_string(value));
        };
        if (d.range.begin.line != 0) {
            number(",line=", d.range.begin.line);
            number(",col=", d.range.begin.column);
            number(",endLine=", d.range.end.line);
            if (d.range.end.line == d.range.begin.line) number(",endColumn=", d.range.end.column);
        }
        out.append(",title=").append(d.code).append("::");
        append_escaped(out, d.message, false);
        if (!d.hint.empty()) {
            out += "%0Ahint: ";
            append_escaped(out, d.hint, false);
        }
        out += '\n';
    }
    return out;
}

}  // namespace dszero
