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

#include <dszero/config/json_values.hpp>
#include <dszero/config/release.hpp>
#include <dszero/config/section_of.hpp>
#include <dszero/config/zero.hpp>
#include <dszero/text/diagnostic.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <limits>
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

/// DeepSpeed's function of this name: the zero section of a document, its defaults where there is none.
/// Throws ConfigError with every problem when the release refuses it.
DeepSpeedZeroConfig get_zero_config(const Json& document, Release release = newest_release);

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

/// Throws ConfigError: a value is nested deeper than Python goes. (Text is refused long before.)
[[noreturn]] void throw_too_deep();

constexpr int python_recursion_limit = 1000;

/// The same value in another of nlohmann's types. (Its own conversions take a compiler longer.)
/// Throws ConfigError if it has more than `levels` of nesting.
template <BasicJson To, BasicJson From>
void copy_json(const From& from, To& to, int levels = std::numeric_limits<int>::max()) {
    using value_t = typename From::value_t;
    if (from.is_structured() && levels-- == 0) throw_too_deep();
    to = To(from.type());
    switch (from.type()) {
        case value_t::object:
            for (const auto& member : *from.template get_ptr<const typename From::object_t*>()) {
                auto& members = *to.template get_ptr<typename To::object_t*>();
                if constexpr (requires { members.emplace_back(member.first, To()); })
                    copy_json(member.second, members.emplace_back(member.first, To()).second, levels);
                else
                    copy_json(member.second, members[member.first], levels);
            }
            break;
        case value_t::array:
            for (const From& element : *from.template get_ptr<const typename From::array_t*>()) {
                To copy;
                copy_json(element, copy, levels);
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

/// Reads a section into `object`, which holds its defaults. Throws ConfigError with every problem.
void read_json(const Json& json, const Section& section, void* object);

/// A section's keys and values, so that it reads back to an equal value under the newest release.
Json write_keys(const Section& section, const void* object);

/// Reads a section, or throws ConfigError with every problem. Found by json.get<T>().
template <HasSection T>
void from_json(const Json& json, T& out) {
    T object{};
    read_json(json, section_of<T>(), &object);
    out = std::move(object);
}
template <BasicJson J, HasSection T>
void from_json(const J& json, T& out) {
    Json copy;
    copy_json(json, copy, python_recursion_limit);
    from_json(copy, out);
}

/// Writes a section so that it reads back to an equal value under the newest release.
template <BasicJson J, HasSection T>
void to_json(J& json, const T& object) {
    copy_json(write_keys(section_of<T>(), &object), json);
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

#ifndef DSZERO_COMPILED
#include <dszero/config/definitions/json.hpp>
#endif
