// SPDX-License-Identifier: MIT
//
// Values and sections that DeepSpeed takes as they are: it looks keys up in a dictionary,
// and only the use of a value shows whether it fits. Keys that nobody looks up do nothing.
//
//     Plain<double> gradient_clipping = 1.0;   // the document may say "auto" just as well
//     double norm = config.gradient_clipping;  // throws std::invalid_argument then
#pragma once

#include <dszero/config/coerce.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/json_values.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/text/write_json.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

namespace dszero {

// What Python would use a value as: a truth value from anything; a number from numbers and truth values.
inline bool used_as(const Json& json, bool) { return is_truthy(json); }
inline double used_as(const Json& json, double) {
    const auto number = to_real(json.is_string() ? Json() : json, {}, Behaviour(newest_release));
    if (!number) throw std::invalid_argument("expected a number, got " + write_json(json));
    return number.value;
}
inline std::int64_t used_as(const Json& json, std::int64_t) {
    const auto number = to_integer(json.is_string() ? Json() : json, {}, Behaviour(newest_release));
    if (!number) throw std::invalid_argument("expected an integer, got " + write_json(json));
    return number.value;
}
inline std::string used_as(const Json& json, const std::string&) {
    if (!json.is_string()) throw std::invalid_argument("expected a string, got " + write_json(json));
    return string_in(json);
}
template <class T>
std::optional<T> used_as(const Json& json, const std::optional<T>&) {
    return json.is_null() ? std::nullopt : std::optional<T>(used_as(json, T{}));
}
inline Json::object_t used_as(const Json& json, const Json::object_t&) {
    if (!json.is_object()) throw std::invalid_argument("expected an object, got " + write_json(json));
    return *json.get_ptr<const Json::object_t*>();
}
inline Json::array_t used_as(const Json& json, const Json::array_t&) {
    if (!json.is_array()) throw std::invalid_argument("expected a list, got " + write_json(json));
    return *json.get_ptr<const Json::array_t*>();
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

/// A copy for keeping, in which integers beyond 64 bits are saturated.
inline Json kept(const Value& value, const Reading& r) {
    if (value.json->is_number_float()) {
        const PythonNumber number = python_number(*value.json, r.spelling(value));
        return number.is_integer && r.has_text() ? json_integer(number.integer) : *value.json;
    }
    if (!value.json->is_structured()) return *value.json;
    Json out(value.json->type());
    if (auto* const object = out.get_ptr<Json::object_t*>()) object->reserve(value.json->size());
    for (const Member& member : r.members_of(value)) {
        if (value.json->is_object())
            append_member(out, member.key, kept(member.value, r));
        else
            out.get_ptr<Json::array_t*>()->push_back(kept(member.value, r));
    }
    return out;
}

inline bool take_kept(PlainValue& plain, const Value& value, const Reading& r) {
    plain.take(kept(value, r));
    return true;
}
template <class T>
bool read_plain(void* member, const Value& value, const Row&, Reading& r, const Path&) {
    return take_kept(*static_cast<Plain<T>*>(member), value, r);
}
template <class T>
Json write_plain(const void* member, const Writing&) {
    return static_cast<const Plain<T>*>(member)->json();
}
template <class T>
inline constexpr MemberType member_type<Plain<T>> = {member_type<T>.expected, member_type<T>.format,
                                                     read_plain<T>, write_plain<T>};

/// A Plain<T> that nothing more is to be said of.
template <class T>
inline constexpr MemberType plain_anything = {"anything", "...", read_plain<T>, write_plain<T>};

/// Takes a value of any kind into a Json member.
inline bool read_anything(void* member, const Value& value, const Row&, Reading& r, const Path&) {
    *static_cast<Json*>(member) = kept(value, r);
    return true;
}

inline constexpr MemberType anything = {"anything", "...", read_anything, write_object};

}  // namespace dszero
