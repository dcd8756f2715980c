// SPDX-License-Identifier: MIT
//
// nlohmann values, made and asked without its conversion templates, which cost
// compile time at every use.
#pragma once

#include <nlohmann/json.hpp>

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

using Json = nlohmann::ordered_json;

inline Json json_boolean(bool value) {
    Json json(Json::value_t::boolean);
    *json.get_ptr<Json::boolean_t*>() = value;
    return json;
}
inline Json json_integer(std::int64_t value) {
    Json json(Json::value_t::number_integer);
    *json.get_ptr<Json::number_integer_t*>() = value;
    return json;
}
inline Json json_float(double value) {
    Json json(Json::value_t::number_float);
    *json.get_ptr<Json::number_float_t*>() = value;
    return json;
}
inline Json json_string(std::string_view value) {
    Json json(Json::value_t::string);
    json.get_ptr<Json::string_t*>()->assign(value.data(), value.size());
    return json;
}
inline Json json_array() { return Json(Json::value_t::array); }
inline Json json_object() { return Json(Json::value_t::object); }

/// Appends without looking for the key.
inline void append_member(Json& object, std::string_view key, Json&& value) {
    object.get_ptr<Json::object_t*>()->emplace_back(std::string(key), std::move(value));
}

inline bool boolean_in(const Json& json) { return *json.get_ptr<const Json::boolean_t*>(); }
inline const std::string& string_in(const Json& json) { return *json.get_ptr<const Json::string_t*>(); }
inline bool is_word(const Json& json, std::string_view word) {
    return json.is_string() && string_in(json) == word;
}

}  // namespace dszero
