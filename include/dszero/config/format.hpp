// SPDX-License-Identifier: MIT
//
// The format of zero_optimization, for people, generated from the rows: what
// DeepSpeed keeps by hand as ZERO_FORMAT.
#pragma once

#include <dszero/config/judge.hpp>
#include <dszero/config/rows/zero.hpp>
#include <dszero/config/section.hpp>

#include <cmath>
#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

/// Every key that the release reads, with what it takes, its default and what it does:
///
///     "zero_optimization": {
///       "stage": [0|1|2|3],  // default 0. What is split across the ranks: …
std::string zero_format(Release release = newest_release);

/// The release's own defaults, as attributes, those of nested sections too: what a document with empty
/// sections gives.
Json document_presets(Release release);
/// Those of zero_optimization alone.
Json zero_presets(Release release);

/// "at least 0", "greater than 0 and less than 1"; empty for a field without bounds.
inline std::string describe_bounds(const Bounds& bounds) {
    std::string text;
    if (std::isfinite(bounds.low))
        text.append(bounds.low_open ? "greater than " : "at least ").append(in_words(bounds.low));
    if (!std::isfinite(bounds.high)) return text;
    if (!text.empty()) text += " and ";
    return text.append(bounds.high_open ? "less than " : "at most ").append(in_words(bounds.high));
}

/// "default 500000000; at least 0; elements". `preset`: the field's default.
inline std::string describe_limits(const Row& row, const Json& preset, Release release) {
    std::string text = "default ";
    text += !row.derived.empty()     ? std::string(row.derived)
            : !row.prints_as.empty() ? std::string(row.prints_as)
                                     : write_json(preset);
    if (const std::string bounds = describe_bounds(row.bounds_in(release)); !bounds.empty())
        text += "; " + bounds;
    if (row.unit != Unit::none) text += row.unit == Unit::elements ? "; elements" : "; bytes";
    return text;
}

/// What stands behind a field's key and type.
inline std::string describe_field(const Row& row, const Json& preset, Release release) {
    if (row.deprecated()) return "deprecated. " + std::string(row.doc);
    if (row.type->section) return std::string(row.doc);
    return describe_limits(row, preset, release) + ". " + std::string(row.doc);
}

/// Appends one line for each field of the section; `presets` holds its attributes.
inline void append_format(std::string& out, const Section& section, const Json& presets, Release release,
                          std::size_t indent) {
    for (const Row& row : section.rows) {
        if (!row.known_to(release) || !row.is_key) continue;
        const Json& preset = *presets.find(std::string(row.name));
        out.append(indent, ' ').append(1, '"').append(row.key()).append("\": ");
        out.append(row.type->section ? "{" : row.type->format).append(row.type->section ? "  // " : ",  // ");
        out.append(describe_field(row, preset, release)).append(1, '\n');
        if (!row.type->section) continue;
        append_format(out, *row.type->section, preset, release, indent + 2);
        out.append(indent, ' ').append("},\n");
    }
}

inline Json document_presets(Release release) {
    Json empty_sections = json_object();
    for (const Row& row : section<DeepSpeedZeroConfig>.rows)
        if (row.type->section && row.known_to(release))
            append_member(empty_sections, row.key(), json_object());
    Json document = json_object();
    append_member(document, "train_batch_size", json_integer(1));  // without it there is no document
    append_member(document, zero_optimization, std::move(empty_sections));
    DeepSpeedConfig config;
    const Source no_text;
    Reading reading(release, no_text, nullptr);
    std::string first_check;
    judge_document({&document, 0}, reading, config, first_check);
    return write_section(section<DeepSpeedConfig>, &config, {release, true});
}

inline Json zero_presets(Release release) { return *document_presets(release).find("zero_config"); }

inline std::string zero_format(Release release) {
    std::string out = "\"zero_optimization\": {\n";
    append_format(out, section<DeepSpeedZeroConfig>, zero_presets(release), release, 2);
    return out + "}\n";
}

}  // namespace dszero
