// SPDX-License-Identifier: MIT
//
// nlohmann values, made and asked without its conversion templates, which cost
// compile time at every use.
#pragma once

#include <dszero/text/write_json.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
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
/// Whether both are the same to Python: numbers by value and kind, objects in whatever order.
inline bool equal(const Json& a, const Json& b) {
    if (a.is_object() && b.is_object() && a.size() == b.size()) {
        const auto& others = *b.get_ptr<const Json::object_t*>();
        auto other = others.begin();  // mostly in the same order
        for (const auto& [key, value] : *a.get_ptr<const Json::object_t*>()) {
            const auto is_same = [&name = key](const auto& member) { return member.first == name; };
            if (other == others.end() || !is_same(*other))
                other = std::find_if(others.begin(), others.end(), is_same);
            if (other == others.end() || !equal(value, other->second)) return false;
            ++other;
        }
        return true;
    }
    if (a.is_array() && b.is_array() && a.size() == b.size()) {
        for (std::size_t i = 0; i < a.size(); ++i)
            if (!equal(a[i], b[i])) return false;
        return true;
    }
    return !a.is_structured() && !b.is_structured() && write_json(a) == write_json(b);
}

/// A Json as a member of a configuration. (A comparison of nlohmann's values tries every conversion that they
/// have, which takes a compiler longer than all of a section.)
struct AnyJson {
    Json json;

    bool operator==(const AnyJson& other) const { return equal(json, other.json); }
};

inline bool is_word(const Json& json, std::string_view word) {
    return json.is_string() && string_in(json) == word;
}

}  // namespace dszero
