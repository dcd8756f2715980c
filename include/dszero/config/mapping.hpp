// SPDX-License-Identifier: MIT
//
// The members of a section, whatever it was written as.
// An object has members. Before 0.15.0 (pydantic 1) a section could also be
// anything that Python's dict() takes: an empty string or list is an empty
// section, and so is a list of pairs a section: [["device", "cpu"]].
#pragma once

#include <dszero/config/reading.hpp>
#include <dszero/text/unicode.hpp>

#include <string>
#include <string_view>

namespace dszero {

/// One element of a sequence as dict() takes it: two things, the first of them a string. False for anything
/// else.
inline bool read_pair(const Value& element, Reading& r, Member& out) {
    const Json& json = *element.json;
    if (json.is_array() && json.size() == 2 && json.front().is_string()) {
        out = {string_in(json.front()), r.members_of(element)[1].value};
        return true;
    }
    if (json.is_object() && json.size() == 2) {  // iterating over a dict gives its keys
        const Members members = r.members_of(element);
        out = {members[0].key, {&r.keep(json_string(members[1].key)), element.node}};
        return true;
    }
    if (json.is_string() && count_characters(string_in(json)) == 2) {  // and over a string, its characters
        const std::string_view text = string_in(json);
        const std::size_t first = code_point_at(text, 0).length;
        out = {text.substr(0, first), {&r.keep(json_string(text.substr(first))), element.node}};
        return true;
    }
    return false;
}

/// The members of `value`; false when this release takes no such thing for a section.
inline bool read_mapping(const Value& value, Reading& r, Members& out) {
    const Json& json = *value.json;
    if (json.is_object()) {
        out = r.members_of(value);
        return true;
    }
    if (r.behaviour.pydantic_2) return false;
    if (json.is_string()) return string_in(json).empty();
    if (!json.is_array()) return false;
    for (const Member& element : r.members_of(value)) {
        Member pair;
        if (!read_pair(element.value, r, pair)) return false;
        Member* same = nullptr;
        for (Member& member : out)
            if (member.key == pair.key) same = &member;
        if (same)
            same->value = pair.value;  // the last one wins
        else
            out.push_back(pair);
    }
    return true;
}

}  // namespace dszero
