// SPDX-License-Identifier: MIT
//
// How a field is read, written and described, one entry for each member type.
// What a value becomes is decided in coerce.hpp; here stands what to say when
// it becomes nothing.
#pragma once

#include <dszero/config/coerce.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/json_values.hpp>
#include <dszero/config/member_values.hpp>
#include <dszero/config/reading.hpp>

#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// What a value is written for.
struct Writing {
    Release release = newest_release;
    bool attributes =
        false;  ///< everything DeepSpeed's object holds; otherwise a section that can be read back
};

/// Sets the member; false, and reported, when DeepSpeed refuses the value.
using ReadMember = bool(void* member, const Value&, const Row&, Reading&, const Path&);
using WriteMember = Json(const void* member, const Writing&);

struct MemberType {
    std::string_view expected{};  ///< "an integer"
    std::string_view format{};    ///< how the format's description shows it: "[true|false]"
    ReadMember* read = nullptr;
    WriteMember* write = nullptr;
    const Section* section = nullptr;                         ///< the section that the member holds
    const void* (*section_in)(const void* member) = nullptr;  ///< its object, or null where there is none
    bool any_case = false;                                    ///< the format's words count in any case
};

// ------------------------------------------------------------------ messages

/// A number without a needless ".0".
inline std::string in_words(double number) {
    std::string out;
    append_json_double(out, number);
    if (out.ends_with(".0")) out.resize(out.size() - 2);
    return out;
}

/// Reports that `value` is not what the row's field takes. Always false.
inline bool refuse(Refusal why, const Value& value, const Row& row, Reading& r, const Path& path) {
    std::string message(path.key);
    message.append(" must be ").append(row.type->expected).append(", got ").append(r.shown(value));
    const Json& json = *value.json;
    const Span span = r.value_span(value);
    if (json.is_null()) {
        r.error("null", path, span, message, "remove the key to get the default");
    } else if (why == Refusal::fraction) {
        const double cut = std::trunc(python_number(json, {}).real);
        const std::string whole =
            std::fabs(cut) < 0x1p63 ? std::to_string(static_cast<std::int64_t>(cut)) : in_words(cut);
        r.error("fraction", path, span, message + ", a fraction",
                "releases before 0.15.0 cut the fraction off; write " + whole)
            .replacement = Replacement{span, whole};
    } else if (why == Refusal::too_large || why == Refusal::not_finite) {
        r.error("too-large", path, span, message, "DeepSpeed cannot convert a number of this size");
    } else if (double real = 0; json.is_string() && read_unsigned_real(strip(string_in(json)), real)) {
        r.error("wrong-type", path, span, message + ", a string", "write the number without quotes");
    } else {
        r.error("wrong-type", path, span, message);
    }
    return false;
}

/// Reports a number outside the bounds of this release; false then.
inline bool check_bounds(double number, const Value& value, const Row& row, Reading& r, const Path& path) {
    const Bounds& b = row.bounds_in(r.behaviour.release);
    // a NaN is within no bound, as in Python
    const bool low_enough = std::isinf(b.high) || (b.high_open ? number < b.high : number <= b.high);
    const bool high_enough = std::isinf(b.low) || (b.low_open ? number > b.low : number >= b.low);
    if (low_enough && high_enough) return true;
    std::string message(path.key);
    if (!high_enough)
        message.append(b.low_open ? " must be greater than " : " must be at least ").append(in_words(b.low));
    else
        message.append(b.high_open ? " must be less than " : " must be at most ").append(in_words(b.high));
    r.error("out-of-bounds", path, r.value_span(value), message.append(", got ").append(r.shown(value)));
    return false;
}

// ------------------------------------------------------------------- scalars

inline bool read_boolean(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const auto taken = to_boolean(*value.json, r.spelling(value));
    if (!taken) return refuse(taken.refusal, value, row, r, path);
    *static_cast<bool*>(member) = taken.value;
    return true;
}
inline Json write_boolean(const void* member, const Writing&) {
    return json_boolean(*static_cast<const bool*>(member));
}

inline bool read_integer(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const auto taken = to_integer(*value.json, r.spelling(value), r.behaviour);
    if (!taken) return refuse(taken.refusal, value, row, r, path);
    if (!check_bounds(static_cast<double>(taken.value), value, row, r, path)) return false;
    *static_cast<std::int64_t*>(member) = taken.value;
    if (!taken.saturated && !taken.truncated) return true;
    const std::string written = std::to_string(taken.value);
    const std::string key(path.key);
    if (taken.saturated)
        r.report(Severity::note, "saturated", path.pointer(), r.value_span(value),
                 key + " is beyond 64 bits: DeepSpeed keeps it, dszero holds " + written);
    if (taken.truncated)
        r.report(Severity::warning, "fraction", path.pointer(), r.value_span(value),
                 key + ": this release cuts " + r.shown(value) + " to " + written,
                 "releases from 0.15.0 on refuse it; write " + written)
            .replacement = Replacement{r.value_span(value), written};
    return true;
}
inline Json write_integer(const void* member, const Writing&) {
    return json_integer(*static_cast<const std::int64_t*>(member));
}

inline bool read_real(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const auto taken = to_real(*value.json, r.spelling(value), r.behaviour);
    if (taken.refusal == Refusal::too_large && !r.behaviour.pydantic_2) {
        r.abort(value, "OverflowError: an integer of this size has no float");  // pydantic 1 lets it through
        return false;
    }
    if (!taken) return refuse(taken.refusal, value, row, r, path);
    if (!check_bounds(taken.value, value, row, r, path)) return false;
    *static_cast<double*>(member) = taken.value;
    return true;
}
inline Json write_real(const void* member, const Writing&) {
    return json_float(*static_cast<const double*>(member));
}

inline bool read_string(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_string()) return refuse(Refusal::kind, value, row, r, path);
    *static_cast<std::string*>(member) = string_in(*value.json);
    return true;
}
inline Json write_string(const void* member, const Writing&) {
    return json_string(*static_cast<const std::string*>(member));
}

inline bool read_path(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_string()) return refuse(Refusal::kind, value, row, r, path);
    *static_cast<std::string*>(member) = normal_path(string_in(*value.json));
    return true;
}

/// A string other than "auto" is refused later, by the section's own check.
inline bool read_interval(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    auto& steps = static_cast<Interval*>(member)->steps;
    steps.reset();
    if (value.json->is_string()) return true;
    std::int64_t number = 0;
    if (!read_integer(&number, value, row, r, path)) return false;
    steps = number;
    return true;
}
inline Json write_interval(const void* member, const Writing&) {
    const auto& steps = static_cast<const Interval*>(member)->steps;
    return steps ? json_integer(*steps) : json_string("auto");
}

// ---------------------------------------------------------------- containers

inline bool read_strings(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    std::vector<std::string> list;
    if (value.json->is_string()) {  // leaf_module's own validator makes a list of a lone string
        list.push_back(string_in(*value.json));
    } else if (!value.json->is_array()) {
        return refuse(Refusal::kind, value, row, r, path);
    }
    bool all_strings = true;
    std::size_t index = 0;
    for (const Member& element : r.members_of(value)) {
        if (element.value.json->is_string()) {
            list.push_back(string_in(*element.value.json));
        } else {
            r.error("wrong-type", Path{.parent = &path, .index = index, .is_index = true},
                    r.value_span(element.value),
                    std::string(path.key) + " must hold strings only, got " + r.shown(element.value));
            all_strings = false;
        }
        ++index;
    }
    if (all_strings) *static_cast<std::vector<std::string>*>(member) = std::move(list);
    return all_strings;
}
inline Json write_strings(const void* member, const Writing&) {
    Json json = json_array();
    auto& elements = *json.get_ptr<Json::array_t*>();
    for (const std::string& entry : *static_cast<const std::vector<std::string>*>(member))
        elements.push_back(json_string(entry));
    return json;
}

/// Any object, or null for none.
inline bool read_object(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_object() && !value.json->is_null()) return refuse(Refusal::kind, value, row, r, path);
    *static_cast<Json*>(member) = *value.json;
    return true;
}
inline Json write_object(const void* member, const Writing&) { return *static_cast<const Json*>(member); }

inline bool read_any(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    return read_object(&static_cast<AnyJson*>(member)->json, value, row, r, path);
}
inline Json write_any(const void* member, const Writing& w) {
    return write_object(&static_cast<const AnyJson*>(member)->json, w);
}

// ------------------------------------------------------------------- wrapped

template <class T, ReadMember* read>
bool read_optional(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    auto& optional = *static_cast<std::optional<T>*>(member);
    if (value.json->is_null()) {
        optional.reset();
        return true;
    }
    T inner{};
    if (!read(&inner, value, row, r, path)) return false;
    optional = std::move(inner);
    return true;
}
template <class T, WriteMember* write>
Json write_optional(const void* member, const Writing& w) {
    const auto& optional = *static_cast<const std::optional<T>*>(member);
    return optional ? write(&*optional, w) : Json(nullptr);
}

template <class T, ReadMember* read>
bool read_deprecated(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    return read(&static_cast<Deprecated<T>*>(member)->value, value, row, r, path);
}
/// A discarded value for an attribute that is gone.
template <class T, WriteMember* write>
Json write_deprecated(const void* member, const Writing& w) {
    const auto& deprecated = *static_cast<const Deprecated<T>*>(member);
    return deprecated.deleted ? Json(Json::value_t::discarded) : write(&deprecated.value, w);
}

// -------------------------------------------------------------------- tables

template <>
inline constexpr MemberType member_type<bool> = {"true or false", "[true|false]", read_boolean,
                                                 write_boolean};
template <>
inline constexpr MemberType member_type<std::optional<bool>> = {"true, false or null", "[true|false]",
                                                                read_optional<bool, read_boolean>,
                                                                write_optional<bool, write_boolean>};
template <>
inline constexpr MemberType member_type<Deprecated<bool>> = {"true or false", "[true|false]",
                                                             read_deprecated<bool, read_boolean>,
                                                             write_deprecated<bool, write_boolean>};
template <>
inline constexpr MemberType member_type<Deprecated<std::optional<bool>>> = {
    "true, false or null", "[true|false]",
    read_deprecated<std::optional<bool>, read_optional<bool, read_boolean>>,
    write_deprecated<std::optional<bool>, write_optional<bool, write_boolean>>};
template <>
inline constexpr MemberType member_type<std::int64_t> = {"an integer", "integer", read_integer,
                                                         write_integer};
template <>
inline constexpr MemberType member_type<std::optional<std::int64_t>> = {
    "an integer or null", "integer", read_optional<std::int64_t, read_integer>,
    write_optional<std::int64_t, write_integer>};
template <>
inline constexpr MemberType member_type<double> = {"a number", "number", read_real, write_real};
template <>
inline constexpr MemberType member_type<std::string> = {"a string", "string", read_string, write_string};
template <>  // DeepSpeed's Optional[Path]
inline constexpr MemberType member_type<std::optional<std::string>> = {
    "a path or null", "path", read_optional<std::string, read_path>,
    write_optional<std::string, write_string>};
template <>
inline constexpr MemberType member_type<Interval> = {"\"auto\" or an integer", "[\"auto\"|integer]",
                                                     read_interval, write_interval};
template <>
inline constexpr MemberType member_type<std::vector<std::string>> = {"a list of strings", "[string, ...]",
                                                                     read_strings, write_strings};
template <>
inline constexpr MemberType member_type<Json> = {"an object or null", "{...}", read_object, write_object};
template <>
inline constexpr MemberType member_type<AnyJson> = {"an object or null", "{...}", read_any, write_any};

}  // namespace dszero
