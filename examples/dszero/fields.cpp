// SPDX-License-Identifier: MIT
#include "fields.hpp"

#include <dszero/text/snippet.hpp>
#include <dszero/text/write_json.hpp>

#include <algorithm>
#include <cstddef>
#include <utility>

namespace dszero::tool {
namespace {

std::string origin_for_people(const EffectiveField& field) {
    const std::string line = "line " + std::to_string(field.range.begin.line);
    switch (field.origin) {
        case OriginKind::default_value: return "default";
        case OriginKind::derived: return "derived";
        case OriginKind::deprecated_key: return "deprecated key " + field.key + " at " + line;
        case OriginKind::file: break;
    }
    return field.key == field.name ? line : line + ", " + field.key;
}

std::size_t width(std::string_view text) {
    std::string scratch;
    return append_visible(scratch, text);
}

/// A list too long for its column has one element a line.
std::vector<std::string> cell_lines(const std::string& value, std::size_t widest) {
    std::vector<std::string> lines{value};
    if (!value.starts_with('[') || value.size() <= widest) return lines;
    for (std::size_t at; (at = lines.back().find("\",\"")) != std::string::npos;) {
        std::string rest = " " + lines.back().substr(at + 2);
        lines.back().resize(at + 2);
        lines.push_back(std::move(rest));
    }
    return lines;
}

std::vector<ShownField> shown(std::vector<EffectiveField> fields) {
    std::vector<ShownField> rows;
    std::vector<std::string> sections;  // names of those around the field
    for (EffectiveField& field : fields) {
        sections.resize(field.depth);
        std::string path;
        for (const std::string& section : sections) path += section + '.';
        path += field.name;
        sections.push_back(field.name);
        std::string value = field.shown, origin = origin_for_people(field);
        rows.push_back({std::move(field), std::move(path), std::move(value), std::move(origin)});
    }
    return rows;
}

}  // namespace

std::vector<ShownField> shown_fields(const Document& document) { return shown(effective_fields(document)); }

std::vector<ShownField> shown_document_fields(const Document& document) {
    if (document.scope != Scope::document) return {};
    return shown(effective_document_fields(document));
}

std::string origin_json(const EffectiveField& field) {
    constexpr std::string_view kinds[] = {"file", "default", "derived", "deprecated_key"};
    std::string out = "{\"kind\":\"";
    out.append(kinds[static_cast<std::size_t>(field.origin)]).append("\",\"key\":");
    if (field.key.empty()) return out += "null,\"line\":null,\"column\":null}";
    append_json_string(out, field.key);
    out.append(",\"line\":").append(std::to_string(field.range.begin.line));
    out.append(",\"column\":").append(std::to_string(field.range.begin.column));
    return out += '}';
}

void Table::add(std::string label, const ShownField& row, std::string_view colour) {
    rows_.push_back({std::move(label), row.value, row.origin, colour});
}

std::string Table::str(Style style) const {
    constexpr std::size_t widest_value = 30, gap = 2;
    std::size_t label_width = 0, value_width = 0;
    for (const Row& row : rows_) {
        label_width = std::max(label_width, width(row.label));
        if (const std::size_t w = width(row.value); w <= widest_value) value_width = std::max(value_width, w);
    }

    std::string out;
    const auto append_cell = [&](std::string_view text, std::size_t columns) {
        const std::size_t taken = append_visible(out, text);
        out.append(gap + (taken < columns ? columns - taken : 0), ' ');
    };
    for (const Row& row : rows_) {
        const bool coloured = style == Style::colour && !row.colour.empty();
        if (coloured) out += row.colour;
        append_cell(row.label, label_width);
        const std::vector<std::string> lines = cell_lines(row.value, widest_value);
        append_cell(lines.front(), value_width);
        append_visible(out, row.origin);
        for (std::size_t i = 1; i < lines.size(); ++i) {
            out.append(1, '\n').append(label_width + gap, ' ');
            append_visible(out, lines[i]);
        }
        if (coloured) out += "\x1b[0m";
        out += '\n';
    }
    return out;
}

}  // namespace dszero::tool
