// SPDX-License-Identifier: MIT
//
// How a Plain is read and written: it takes whatever the document gives.
#pragma once

#include <dszero/config/coerce.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/reading.hpp>

namespace dszero {

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
