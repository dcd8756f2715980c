// SPDX-License-Identifier: MIT
//
// Rows of sections/profiling.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/sections/profiling.hpp>

#include <array>
#include <string>

namespace dszero {

template <>
struct schema<DeepSpeedFlopsProfilerConfig> {
    using C = DeepSpeedFlopsProfilerConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Counts floating-point operations."}),
        field(&C::recompute_fwd_factor, {.name = "recompute_fwd_factor",
                                         .doc = "Share of the forward pass that backward computes again.",
                                         .since = "0.9.3"}),
        field(&C::profile_step, {.name = "profile_step", .doc = "The step that is profiled."}),
        field(&C::module_depth,
              {.name = "module_depth", .doc = "Depth of the modules that are listed; -1: all."}),
        field(&C::top_modules, {.name = "top_modules", .doc = "How many modules are listed at each depth."}),
        field(&C::detailed, {.name = "detailed", .doc = "Prints the profile of each module."}),
        field(&C::output_file,
              {.name = "output_file", .doc = "Where the profile goes; standard output by default."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<DeepSpeedFlopsProfilerConfig> =
    plain_section<DeepSpeedFlopsProfilerConfig>;

template <>
struct schema<DeepSpeedThroughputTimerConfig> {
    using C = DeepSpeedThroughputTimerConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Measures throughput."}),
        field(&C::synchronized,
              {.name = "synchronized", .doc = "Synchronizes the device before it looks at the clock."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

/// Of the section timers, only `throughput` is read; Python's `in` looks for it in lists and texts as well.
inline bool read_timers(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const Json& json = *value.json;
    if (json.is_object()) {
        const Members members = r.members_of(value);
        const Member* throughput = find_member(members, "throughput");
        return !throughput ||
               read_modelled(member, throughput->value, row, r, Path{.parent = &path, .key = "throughput"});
    }
    bool found = json.is_string() && string_in(json).find("throughput") != std::string::npos;
    if (json.is_array())
        for (const Member& element : r.members_of(value))
            found = found || is_word(*element.value.json, "throughput");
    if (!found && (json.is_string() || json.is_array())) return true;
    return refuse_shape("timers", "an object", value, r, path);
}

template <>
inline constexpr MemberType member_type<DeepSpeedThroughputTimerConfig> = {
    "an object",
    "{...}",
    read_timers,
    write_nested<DeepSpeedThroughputTimerConfig>,
    &section<DeepSpeedThroughputTimerConfig>,
    [](const void* member) { return member; }};

}  // namespace dszero
