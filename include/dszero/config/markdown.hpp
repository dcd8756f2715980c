// SPDX-License-Identifier: MIT
//
// A reference of ds_config.json in Markdown, generated from the rows: for each section
// a table of its keys, and what DeepSpeed makes sure of across them.
#pragma once

#include <dszero/config/format.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/config/section.hpp>

#include <string>
#include <string_view>

namespace dszero {

/// The reference for a release.
std::string markdown(Release release = newest_release);

constexpr std::string_view top_level = "The document";

/// Text for a cell of a table.
inline std::string in_cell(std::string_view text) {
    std::string out;
    for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
    return out;
}

/// Appends a section's chapter and those of the sections in it. `presets` holds its attributes.
inline void append_markdown(std::string& out, const Section& section, std::string_view name,
                            const Json& presets, Release release) {
    out.append("## ").append(name).append(
        "\n\n| key | takes | default and limits | what it does |\n|---|---|---|---|\n");
    for (const Row& row : section.rows) {
        if (!row.known_to(release) || !row.is_key) continue;
        const auto preset = presets.find(std::string(row.name));
        const std::string limits = row.deprecated()    ? "deprecated: use " + std::string(row.replaced_by)
                                   : row.type->section ? "a section, below"
                                   : preset == presets.end() ? ""
                                                             : describe_limits(row, *preset, release);
        out.append("| `").append(row.key()).append("` | ").append(in_cell(row.type->expected));
        out.append(" | ").append(in_cell(limits)).append(" | ").append(in_cell(row.doc)).append(" |\n");
    }
    bool first = true;
    for (const Check& check : section.checks) {
        if (release < check.since || !(release < check.until)) continue;
        if (first) out += "\nDeepSpeed makes sure:\n\n";
        first = false;
        out.append("- ").append(check.sentence).append("\n");
    }
    out += '\n';
    for (const Row& row : section.rows)
        if (const auto preset = presets.find(std::string(row.name));
            row.type->section && !row.deprecated() && row.known_to(release) && preset != presets.end())
            append_markdown(
                out, *row.type->section,
                name == top_level ? std::string(row.key()) : std::string(name).append(".").append(row.key()),
                *preset, release);
}

inline std::string markdown(Release release) {
    std::string out = "# ds_config.json, as DeepSpeed " + release.str() + " reads it\n\n";
    append_markdown(out, section<DeepSpeedConfig>, top_level, document_presets(release), release);
    out.pop_back();
    return out;
}

}  // namespace dszero
