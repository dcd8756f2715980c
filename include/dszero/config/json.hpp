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

/// The same value in another of nlohmann's types. (Its own conversions take a compiler longer.)
template <BasicJson To, BasicJson From>
void copy_json(const From& from, To& to) {
    using value_t = typename From::value_t;
    to = To(from.type());
    switch (from.type()) {
        case value_t::object:
            for (const auto& member : *from.template get_ptr<const typename From::object_t*>()) {
                auto& members = *to.template get_ptr<typename To::object_t*>();
                if constexpr (requires { members.emplace_back(member.first, To()); })
                    copy_json(member.second, members.emplace_back(member.first, To()).second);
                else
                    copy_json(member.second, members[member.first]);
            }
            break;
        case value_t::array:
            for (const From& element : *from.template get_ptr<const typename From::array_t*>()) {
                To copy;
                copy_json(element, copy);
                to.template get_ptr<typename To::array_t*>()->push_back(std::move(copy));
            }
            break;
        case value_t::string:
            *to.template get_ptr<typename To::string_t*>() =
                *from.template get_ptr<const typename From::string_t*>();
            break;
        case value_t::boolean:
            *to.template get_ptr<typename To::boolean_t*>() =
                *from.template get_ptr<const typename From::boolean_t*>();
            break;
        case value_t::number_integer:
            *to.template get_ptr<typename To::number_integer_t*>() =
                *from.template get_ptr<const typename From::number_integer_t*>();
            break;
        case value_t::number_unsigned:
            *to.template get_ptr<typename To::number_unsigned_t*>() =
                *from.template get_ptr<const typename From::number_unsigned_t*>();
            break;
        case value_t::number_float:
            *to.template get_ptr<typename To::number_float_t*>() =
                *from.template get_ptr<const typename From::number_float_t*>();
            break;
        default: break;  // null; and nothing takes a binary value
    }
}

/// Throws what a reading without text has found.
[[noreturn]] inline void throw_problems(const Source& source, Diagnostics&& diagnostics) {
    const std::string rendered = render_text(source, diagnostics);
    throw ConfigError(rendered, std::move(diagnostics));
}

/// Whether a value has more levels of nesting.
template <BasicJson J>
bool is_deeper(const J& json, int levels) {
    if (!json.is_structured()) return false;
    if (levels == 0) return true;
    for (const J& element : json)
        if (is_deeper(element, levels - 1)) return true;
    return false;
}

/// Throws ConfigError for a value that is nested deeper than Python goes. (Text is refused long before.)
template <BasicJson J>
void require_shallow(const J& json) {
    constexpr int python_recursion_limit = 1000;
    if (!is_deeper(json, python_recursion_limit)) return;
    Diagnostic d;
    d.code = "too-deep";
    d.message = "nested too deeply for a configuration";
    d.range = nowhere();
    throw_problems({"<json>", {}}, {std::move(d)});
}

/// DeepSpeed's function of this name: the zero section of a document, its defaults where there is none.
/// Throws ConfigError with every problem when the release refuses it.
inline DeepSpeedZeroConfig get_zero_config(const nlohmann::ordered_json& document,
                                           Release release = newest_release) {
    require_shallow(document);
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
    require_shallow(json);
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
    require_shallow(json);
    nlohmann::ordered_json copy;
    copy_json(json, copy);
    from_json(copy, out);
}

/// Writes a section so that it reads back to an equal value under the newest release.
template <BasicJson J, HasSchema T>
void to_json(J& json, const T& object) {
    copy_json(write_section(section<T>, &object, {}), json);
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
