// SPDX-License-Identifier: MIT
//
// Behind json.hpp: reading and writing without a text.
#pragma once

#include <dszero/compiled.hpp>
#include <dszero/config/definitions/section.hpp>
#include <dszero/config/json.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/config/section.hpp>
#include <dszero/text/render.hpp>

#include <string>
#include <utility>

namespace dszero {

/// Throws what a reading without text has found.
[[noreturn]] inline void throw_problems(Diagnostics&& diagnostics) {
    const std::string rendered = render_text({"<json>", {}}, diagnostics);
    throw ConfigError(rendered, std::move(diagnostics));
}

DSZERO_INLINE void throw_too_deep() {
    Diagnostic d;
    d.code = "too-deep";
    d.message = "nested too deeply for a configuration";
    d.range = nowhere();
    throw_problems({std::move(d)});
}

inline void require_shallow(const Json& json, int levels = python_recursion_limit) {
    if (!json.is_structured()) return;
    if (levels == 0) throw_too_deep();
    for (const Json& element : json) require_shallow(element, levels - 1);
}

DSZERO_INLINE DeepSpeedZeroConfig get_zero_config(const Json& document, Release release) {
    require_shallow(document);
    const Source none{"<json>", {}};
    Reading reading(release, none, nullptr);
    DeepSpeedZeroConfig config;
    if (!judge_zero({&document, 0}, reading, config)) throw_problems(std::move(reading.diagnostics));
    return config;
}

/// A section that is no field of another one.
inline constexpr MemberType lone_section = {.expected = "an object"};

DSZERO_INLINE void read_json(const Json& json, const Section& section, void* object) {
    require_shallow(json);
    const Source none{"<json>", {}};
    Reading reading(newest_release, none, nullptr);
    const Path root{.key = section.name, .is_root = true};
    Row owner;
    owner.type = &lone_section;
    const bool read = read_section(section, object, {&json, 0}, owner, reading, root);
    reading.settle_abort(root);
    if (!read || has_errors(reading.diagnostics)) throw_problems(std::move(reading.diagnostics));
}

DSZERO_INLINE Json write_keys(const Section& section, const void* object) {
    return write_section(section, object, {});
}

}  // namespace dszero
