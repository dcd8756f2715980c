// SPDX-License-Identifier: MIT
//
// Member types that pydantic's models of the smaller sections have: texts, lists,
// dictionaries, one word of a few.
#pragma once

#include <dszero/config/mapping.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/plain_types.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dszero {

/// Python's str; pydantic 1 makes one of a number as well.
inline bool read_text(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const Json& json = *value.json;
    if (!r.behaviour.pydantic_2 && json.is_boolean())
        *static_cast<std::string*>(member) = boolean_in(json) ? "True" : "False";
    else if (!r.behaviour.pydantic_2 && json.is_number())
        *static_cast<std::string*>(member) = write_json(json);
    else
        return read_string(member, value, row, r, path);
    return true;
}
inline constexpr MemberType text_type = {"a string", "string", read_text, write_string};
inline constexpr MemberType optional_text_type = {"a string or null", "string",
                                                  read_optional<std::string, read_text>,
                                                  write_optional<std::string, write_string>};

/// A list of anything, in a Json member.
inline bool read_list(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_array()) return refuse(Refusal::kind, value, row, r, path);
    *static_cast<Json*>(member) = kept(value, r);
    return true;
}
inline bool read_optional_list(void* member, const Value& value, const Row& row, Reading& r,
                               const Path& path) {
    if (!value.json->is_null()) return read_list(member, value, row, r, path);
    *static_cast<Json*>(member) = Json();
    return true;
}
inline constexpr MemberType list_type = {"a list", "[...]", read_list, write_object};
inline constexpr MemberType optional_list_type = {"a list or null", "[...]", read_optional_list,
                                                  write_object};

/// A dictionary, in a Json member; pydantic 1 takes what dict() takes.
inline bool read_dictionary(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    Members members;
    if (!read_mapping(value, r, members)) return refuse(Refusal::kind, value, row, r, path);
    Json out = json_object();
    for (const Member& entry : members) append_member(out, entry.key, kept(entry.value, r));
    *static_cast<Json*>(member) = std::move(out);
    return true;
}
inline constexpr MemberType dictionary_type = {"an object", "{...}", read_dictionary, write_object};

/// Takes a string that is one of `words`.
inline bool read_word(std::span<const std::string_view> words, std::string& out, const Value& value,
                      const Row& row, Reading& r, const Path& path) {
    if (value.json->is_string())
        for (const std::string_view word : words)
            if (string_in(*value.json) == word) {
                out = word;
                return true;
            }
    r.error("wrong-value", path, r.value_span(value),
            std::string(path.key.empty() ? row.key() : path.key) + " must be " +
                std::string(row.type->expected) + ", got " + r.shown(value));
    return false;
}

}  // namespace dszero
