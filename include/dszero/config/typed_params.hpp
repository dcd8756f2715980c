// SPDX-License-Identifier: MIT
//
// The free-form `params` of optimizer and scheduler, read by rows. DeepSpeed passes
// them to a Python constructor, so a wrong one is an error when training starts,
// not when the document is read.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/section.hpp>
#include <dszero/text/source.hpp>

#include <nlohmann/json.hpp>

#include <array>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

// Two numbers, such as betas.
inline bool read_pair(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_array() || value.json->size() != 2) return refuse(Refusal::kind, value, row, r, path);
    bool all = true;
    double* out = static_cast<std::array<double, 2>*>(member)->data();
    for (const Member& element : r.members_of(value))
        all = read_real(out++, element.value, row, r, path) && all;
    return all;
}
inline Json write_pair(const void* member, const Writing&) {
    Json json = json_array();
    for (const double number : *static_cast<const std::array<double, 2>*>(member))
        json.get_ptr<Json::array_t*>()->push_back(json_float(number));
    return json;
}

template <>
inline constexpr MemberType member_type<std::array<double, 2>> = {"two numbers", "[number, number]",
                                                                  read_pair, write_pair};

template <>
inline constexpr MemberType member_type<std::optional<double>> = {
    "a number or null", "number", read_optional<double, read_real>, write_optional<double, write_real>};

/// `params` as read from `json`, which belongs to the optimizer or scheduler `owner`. Throws
/// std::invalid_argument with every problem.
template <class T>
T& read_params(T& params, std::string_view owner, const Json& json) {
    const Source no_text;
    Reading reading(newest_release, no_text, nullptr);
    Row row;
    row.type = &member_type<Json>;
    const Path path{.parent = nullptr, .key = "params"};
    std::string problems;
    // "auto" is a word of HuggingFace's, which is to be filled in before training starts; rows would drop it
    if (json.is_object())
        for (const auto& [key, value] : *json.get_ptr<const Json::object_t*>())
            if (is_word(value, "auto")) problems += "; " + key + " is still \"auto\"";
    if (!json.is_null()) read_section(section<T>, &params, Value{&json, 0}, row, reading, path);
    for (const Diagnostic& d : reading.diagnostics)
        if (d.severity == Severity::error) problems += "; " + d.message;
    if (!problems.empty()) throw std::invalid_argument(std::string(owner) + problems.replace(0, 1, ":"));
    return params;
}
template <class T>
T read_params(T&& params, std::string_view owner, const Json& json) {
    return read_params(params, owner, json);
}

}  // namespace dszero
