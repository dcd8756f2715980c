// SPDX-License-Identifier: MIT
//
// nlohmann::json <-> the configuration, and DeepSpeed's own functions by name.
//
//     auto config = json.get<dszero::DeepSpeedZeroConfig>();  // throws ConfigError with every problem
//     nlohmann::json written = config;                        // reads back to an equal value
//
// There is no text here, so problems come with a pointer but no line: prefer
// load() where there is a file. Integers beyond 64 bits have already become
// floats in an nlohmann value.
#pragma once

#include <dszero/config/judge.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero.hpp>
#include <dszero/text/render.hpp>

#include <nlohmann/json.hpp>

#include <concepts>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// nlohmann::json, nlohmann::ordered_json or another basic_json.
template <class J>
concept BasicJson = requires {
    typename J::object_t;
    typename J::number_integer_t;
    typename J::initializer_list_t;
};

/// Throws what a reading without text has found.
[[noreturn]] inline void throw_problems(const Source& source, Diagnostics&& diagnostics) {
    const std::string rendered = render_text(source, diagnostics);
    throw ConfigError(rendered, std::move(diagnostics));
}

/// DeepSpeed's function of this name: the zero section of a document, its defaults where there is none.
/// Throws ConfigError with every problem when the release refuses it.
inline DeepSpeedZeroConfig get_zero_config(const nlohmann::ordered_json& document,
                                           Release release = newest_release) {
    const Source none{"<json>", {}};
    Reading reading(release, none, nullptr);
    DeepSpeedZeroConfig config;
    if (judge_zero({&document, 0}, reading, config)) return config;
    throw_problems(none, std::move(reading.diagnostics));
}

/// DeepSpeed's function of this name: the document's member, or `preset` where there is none.
template <BasicJson J>
J get_scalar_param(const J& document, std::string_view name, J preset) {
    const auto member = document.find(std::string(name));
    return member == document.end() ? std::move(preset) : *member;
}

/// DeepSpeed's function of this name: what the old form, "zero_optimization": true or false, stands for.
/// Throws nlohmann's out_of_range if there is no zero_optimization.
template <BasicJson J>
J read_zero_config_deprecated(const J& document) {
    J section = J::object();
    const bool on = document.at(std::string(zero_optimization)).template get<bool>();
    section["stage"] = on ? 1 : 0;
    if (on) section["allgather_bucket_size"] = get_scalar_param(document, "allgather_size", J(5e8));
    return section;
}

/// A section that is no field of another one.
inline constexpr MemberType lone_section = {.expected = "an object"};

/// Reads a section, or throws ConfigError with every problem. Found by json.get<T>().
template <HasSchema T>
void from_json(const nlohmann::ordered_json& json, T& out) {
    const Source none{"<json>", {}};
    Reading reading(newest_release, none, nullptr);
    const Path root{.key = schema<T>::name, .is_root = true};
    Row owner;
    owner.type = &lone_section;
    T object{};
    const bool read = read_section(section<T>, &object, {&json, 0}, owner, reading, root);
    reading.settle_abort(root);
    if (!read || has_errors(reading.diagnostics)) throw_problems(none, std::move(reading.diagnostics));
    out = std::move(object);
}
template <BasicJson J, HasSchema T>
void from_json(const J& json, T& out) {
    from_json(nlohmann::ordered_json(json), out);
}

/// Writes a section so that it reads back to an equal value under the newest release.
template <BasicJson J, HasSchema T>
void to_json(J& json, const T& object) {
    json = write_section(section<T>, &object, {});
}

template <BasicJson J>
void to_json(J& json, OffloadDeviceEnum device) {
    json = std::string(to_string(device));
}
template <BasicJson J>
void from_json(const J& json, OffloadDeviceEnum& device) {
    const std::string word = json.template get<std::string>();
    const auto found = std::find(offload_devices.begin(), offload_devices.end(), word);
    if (found == offload_devices.end())
        throw ConfigError("device must be \"none\", \"cpu\" or \"nvme\", got \"" + word + '"', {});
    device = static_cast<OffloadDeviceEnum>(found - offload_devices.begin());
}

}  // namespace dszero
