// SPDX-License-Identifier: MIT
//
// Values and sections that DeepSpeed takes as they are: it looks keys up in a dictionary,
// and only the use of a value shows whether it fits. Keys that nobody looks up do nothing.
//
//     Plain<double> gradient_clipping = 1.0;   // the document may say "auto" just as well
//     double norm = config.gradient_clipping;  // throws std::invalid_argument then
#pragma once

#include <dszero/config/json_values.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dszero {

// What Python would use a value as: a truth value from anything; a number from numbers and truth values.
// They throw std::invalid_argument where Python could not.
bool used_as(const Json& json, bool);
double used_as(const Json& json, double);
std::int64_t used_as(const Json& json, std::int64_t);
std::string used_as(const Json& json, const std::string&);
Json::object_t used_as(const Json& json, const Json::object_t&);
Json::array_t used_as(const Json& json, const Json::array_t&);
template <class T>
std::optional<T> used_as(const Json& json, const std::optional<T>&) {
    return json.is_null() ? std::nullopt : std::optional<T>(used_as(json, T{}));
}

inline Json plain_json(bool value) { return json_boolean(value); }
inline Json plain_json(std::int64_t value) { return json_integer(value); }
inline Json plain_json(double value) { return json_float(value); }
inline Json plain_json(std::string_view value) { return json_string(value); }
inline Json plain_json(const Json::object_t& value) { return Json(value); }
inline Json plain_json(const Json::array_t& value) { return Json(value); }
template <class T>
Json plain_json(const std::optional<T>& value) {
    return value ? plain_json(*value) : Json();
}

template <class T>
struct plain_preset {};
template <class T>
requires(std::is_arithmetic_v<T>) struct plain_preset<T> {
    using preset_number = T;
};
template <class T>
struct plain_preset<std::optional<T>> : plain_preset<T> {};

/// How a Plain holds its default: a text where it stands in the program.
template <class T>
struct plain_default {
    using type = T;
};
template <>
struct plain_default<std::string> {
    using type = std::string_view;
};
template <>
struct plain_default<std::optional<std::string>> {
    using type = std::optional<std::string_view>;
};

/// What a document gives for a Plain, whatever it is meant to be.
class PlainValue {
public:
    void take(Json json) { given_ = std::move(json); }

protected:
    std::optional<Json> given_;  // most values are not: an empty one costs less than a Json of the default
};

/// A value meant to be a T, which the document may have given as anything. Converts to T as Python
/// would use it, and throws std::invalid_argument where Python could not.
template <class T>
class Plain : public PlainValue, public plain_preset<T> {
    using Default = typename plain_default<T>::type;

public:
    Plain() = default;
    template <std::convertible_to<T> U>
    requires(!std::same_as<std::remove_cvref_t<U>, Plain> && std::same_as<Default, T>) Plain(U&& value)
        : default_(static_cast<T>(std::forward<U>(value))) {}
    /// A program's own text is kept as a document's.
    template <std::convertible_to<T> U>
    requires(!std::same_as<std::remove_cvref_t<U>, Plain> && !std::same_as<Default, T>) Plain(U&& value) {
        take(plain_json(static_cast<T>(std::forward<U>(value))));
    }
    /// A default that stands in the program.
    template <std::size_t Size>
    requires std::constructible_from<Default, std::string_view>
    consteval Plain(const char (&text)[Size]) : default_(std::string_view(text)) {}

    operator T() const { return given_ ? used_as(*given_, T{}) : static_cast<T>(default_); }

    /// As the document has it.
    Json json() const { return given_ ? *given_ : plain_json(default_); }

    template <std::same_as<Plain> U>
    friend bool operator==(const Plain& a, const U& b) {
        return equal(a.json(), b.json());
    }

private:
    Default default_{};
};

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/definitions/plain.hpp>
#endif
