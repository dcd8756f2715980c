// SPDX-License-Identifier: MIT
//
// JSON Schema (draft-07, which editors support best) generated from the rows, so that
// an editor completes keys, shows what they mean and underlines what DeepSpeed does not
// know. It takes what DeepSpeed takes, written in JSON's own types: a number in quotes,
// which DeepSpeed may convert, is underlined. What spans several fields is left to
// `dszero check`.
#pragma once

#include <dszero/config/format.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// The schema of a ds_config document for a release.
Json json_schema(Release release = newest_release);

// ---- from a row to a schema

inline void add_property(Json& object, std::string_view key, std::string_view value) {
    append_member(object, key, json_string(value));
}

inline Json one_property(std::string_view key, Json&& value) {
    Json object = json_object();
    append_member(object, key, std::move(value));
    return object;
}

inline void append_members(Json& object, Json&& others) {
    for (auto& [key, value] : *others.get_ptr<Json::object_t*>())
        append_member(object, key, std::move(value));
}

/// {"anyOf": [first, second]}
inline Json any_of(Json&& first, Json&& second) {
    Json list = json_array();
    auto& elements = *list.get_ptr<Json::array_t*>();
    elements.push_back(std::move(first));
    elements.push_back(std::move(second));
    return one_property("anyOf", std::move(list));
}

inline Json of_type(std::string_view type) { return one_property("type", json_string(type)); }

/// Splits at a separator that stands outside brackets.
inline std::vector<std::string_view> split_format(std::string_view format, std::string_view separator) {
    std::vector<std::string_view> parts;
    std::size_t begin = 0, depth = 0;
    for (std::size_t at = 0; at < format.size(); ++at) {
        depth += format[at] == '[' ? 1u : 0u;
        depth -= format[at] == ']' ? 1u : 0u;
        if (depth != 0 || !format.substr(at).starts_with(separator)) continue;
        parts.push_back(format.substr(begin, at - begin));
        begin = at + separator.size();
    }
    parts.push_back(format.substr(begin));
    return parts;
}

/// What a member type's format, "[\"auto\"|integer]", says about values. Throws std::logic_error for a format
/// that is none.
inline Json schema_of_format(std::string_view format) {
    if (format == "...") return json_object();                        // anything
    if (format == "none") return one_property("not", json_object());  // nothing
    if (format == "integer" || format == "number" || format == "string") return of_type(format);
    if (format == "path") return of_type("string");
    if (format == "{...}") return of_type("object");
    if (format == "[true|false]") return of_type("boolean");
    if (format.starts_with('"'))
        return one_property("const", json_string(format.substr(1, format.size() - 2)));
    if (!format.empty() && format.find_first_not_of("0123456789") == format.npos)
        return one_property("const", json_integer(std::stoll(std::string(format))));
    if (!format.starts_with('[') || !format.ends_with(']'))
        throw std::logic_error("no JSON Schema for the format " + std::string(format));
    const std::string_view inner = format.substr(1, format.size() - 2);
    if (inner == "...") return of_type("array");
    const auto items = split_format(inner, ", ");
    if (items.size() > 1) {
        Json list = of_type("array");
        const bool example = items[0].starts_with('"');  // of the words that are taken
        append_member(list, "items", example ? of_type("string") : schema_of_format(items[0]));
        if (example) return list;
        if (items[1] == "...")
            return any_of(std::move(list), schema_of_format(items[0]));  // a lone one counts
        append_member(list, "minItems", json_integer(static_cast<std::int64_t>(items.size())));
        append_member(list, "maxItems", json_integer(static_cast<std::int64_t>(items.size())));
        return list;
    }
    Json words = json_array(), others = json_array();
    for (const std::string_view part : split_format(inner, "|")) {
        Json alternative = schema_of_format(part);
        const auto word = alternative.find("const");
        const bool is_word = word != alternative.end();
        (is_word ? words : others)
            .get_ptr<Json::array_t*>()
            ->push_back(is_word ? *word : std::move(alternative));
    }
    if (others.empty()) return one_property("enum", std::move(words));
    if (!words.empty()) others.get_ptr<Json::array_t*>()->push_back(one_property("enum", std::move(words)));
    return one_property("anyOf", std::move(others));
}

/// {"type": "string", "pattern": "^([mM][eE][aA][nN]|…)$"}
inline Json in_any_case(const Json& words) {
    std::string pattern;
    for (const Json& word : *words.get_ptr<const Json::array_t*>()) {
        pattern += pattern.empty() ? "^(" : "|";
        for (const char c : string_in(word)) {
            const char lower[] = {c, '\0'};
            const std::string upper = to_upper(lower);
            pattern += upper == to_lower(lower) ? upper : '[' + to_lower(lower) + upper + ']';
        }
    }
    Json schema = of_type("string");
    add_property(schema, "pattern", pattern + ")$");
    return schema;
}

inline void add_bounds(Json& schema, const Bounds& bounds) {
    const auto add = [&](double bound, bool open, std::string_view closed_word, std::string_view open_word) {
        if (!std::isfinite(bound)) return;
        const bool whole = std::floor(bound) == bound;
        append_member(schema, open ? open_word : closed_word,
                      whole ? json_integer(static_cast<std::int64_t>(bound)) : json_float(bound));
    };
    add(bounds.low, bounds.low_open, "minimum", "exclusiveMinimum");
    add(bounds.high, bounds.high_open, "maximum", "exclusiveMaximum");
}

Json schema_of_section(const Section& section, const Json& presets, Release release);

/// An object with these properties and no other.
inline Json schema_of_object(Json&& properties) {
    Json schema = of_type("object");
    append_member(schema, "properties", std::move(properties));
    append_member(schema, "additionalProperties", json_boolean(false));
    return schema;
}

/// What a field takes; `preset`: its default. "auto" is taken everywhere: Hugging Face's libraries fill it
/// in, and without them DeepSpeed drops it.
inline Json schema_of_value(const Row& row, const Json& preset, Release release) {
    Json values = row.type->section ? schema_of_section(*row.type->section, preset, release)
                                    : schema_of_format(row.type->format);
    if (row.type->any_case) {
        Json words = in_any_case(*values.find("enum"));
        values = any_of(std::move(values), std::move(words));
    }
    add_bounds(values, row.bounds_in(release));
    if (row.key() == "timers")  // the row is what is read of it
        values = schema_of_object(one_property("throughput", std::move(values)));
    if (row.key() == zero_optimization)
        values = any_of(std::move(values), of_type("boolean"));  // the old form
    if (row.type->expected.find("null") != std::string_view::npos)
        values = any_of(std::move(values), of_type("null"));
    return any_of(std::move(values), one_property("const", json_string("auto")));
}

inline Json schema_of_field(const Row& row, const Json& preset, Release release) {
    Json schema = json_object();
    const bool limited = !row.deprecated() && !row.type->section;
    add_property(schema, "description",
                 std::string(row.doc) +
                     (limited ? " (" + describe_limits(row, preset, release) + ")" : std::string()));
    if (row.deprecated())
        add_property(schema, "deprecationMessage", "deprecated: use " + std::string(row.replaced_by));
    else if (!row.type->section && row.derived.empty())
        append_member(schema, "default", Json(preset));
    append_members(schema, schema_of_value(row, preset, release));
    return schema;
}

/// Not both the alias and the name, where neither is "auto".
inline Json unless_both_given(const Row& row) {
    Json keys = json_array(), given = json_object();
    keys.get_ptr<Json::array_t*>()->push_back(json_string(row.alias));
    for (const std::string_view key : {row.alias, row.name})
        append_member(given, key, one_property("not", one_property("const", json_string("auto"))));
    Json both = one_property("required", std::move(keys));
    append_member(both, "properties", std::move(given));
    return one_property("not", std::move(both));
}

/// `presets` holds the section's attributes, those of nested sections too.
inline Json schema_of_section(const Section& section, const Json& presets, Release release) {
    Json properties = json_object(), dependencies = json_object();
    for (const Row& row : section.rows) {
        if (!row.known_to(release) || !row.is_key) continue;
        const auto preset = presets.find(std::string(row.name));
        const Json none;
        Json field = schema_of_field(row, preset == presets.end() ? none : *preset, release);
        if (row.alias.empty() || section.container == Container::dictionary) {
            append_member(properties, row.key(), std::move(field));
            continue;
        }
        // DeepSpeed takes the attribute's name as well, but not beside the alias
        Json other = field;
        append_member(other, "doNotSuggest", json_boolean(true));
        append_member(properties, row.alias, std::move(field));
        append_member(properties, row.name, std::move(other));
        append_member(dependencies, row.name, unless_both_given(row));
    }
    if (section.container == Container::pydantics_choice)
        append_member(properties, "strict", one_property("doNotSuggest", json_boolean(true)));
    Json schema = schema_of_object(std::move(properties));
    if (&section == &dszero::section<PipelineConfig>)  // DeepSpeed keeps every key, for whoever reads it
        *schema.find("additionalProperties") = json_boolean(true);
    if (!dependencies.empty()) append_member(schema, "dependencies", std::move(dependencies));
    return schema;
}

inline Json json_schema(Release release) {
    Json schema = json_object();
    add_property(schema, "$schema", "http://json-schema.org/draft-07/schema#");
    add_property(schema, "title", "DeepSpeed " + release.str() + " configuration");
    Json document = schema_of_section(section<DeepSpeedConfig>, document_presets(release), release);
    Json& properties = *document.find("properties");
    append_member(properties, "$schema", of_type("string"));
    append_members(schema, std::move(document));
    return schema;
}

}  // namespace dszero
