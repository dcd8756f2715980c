// SPDX-License-Identifier: MIT
//
// Behind plain.hpp: values as Python would use them.
#pragma once

#include <dszero/compiled.hpp>
#include <dszero/config/coerce.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/text/write_json.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>

namespace dszero {

DSZERO_INLINE bool used_as(const Json& json, bool) { return is_truthy(json); }
DSZERO_INLINE double used_as(const Json& json, double) {
    const auto number = to_real(json.is_string() ? Json() : json, {}, Behaviour(newest_release));
    if (!number) throw std::invalid_argument("expected a number, got " + write_json(json));
    return number.value;
}
DSZERO_INLINE std::int64_t used_as(const Json& json, std::int64_t) {
    const auto number = to_integer(json.is_string() ? Json() : json, {}, Behaviour(newest_release));
    if (!number) throw std::invalid_argument("expected an integer, got " + write_json(json));
    return number.value;
}
DSZERO_INLINE std::string used_as(const Json& json, const std::string&) {
    if (!json.is_string()) throw std::invalid_argument("expected a string, got " + write_json(json));
    return string_in(json);
}
DSZERO_INLINE Json::object_t used_as(const Json& json, const Json::object_t&) {
    if (!json.is_object()) throw std::invalid_argument("expected an object, got " + write_json(json));
    return *json.get_ptr<const Json::object_t*>();
}
DSZERO_INLINE Json::array_t used_as(const Json& json, const Json::array_t&) {
    if (!json.is_array()) throw std::invalid_argument("expected a list, got " + write_json(json));
    return *json.get_ptr<const Json::array_t*>();
}

}  // namespace dszero
