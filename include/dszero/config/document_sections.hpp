// SPDX-License-Identifier: MIT
//
// How the sections of a document's top level are read, of which DeepSpeed has two kinds:
// those it hands to a model of pydantic's, which knows every key, and plain dictionaries
// that it looks keys up in. Nothing but an object will do for either.
#pragma once

#include <dszero/config/plain_types.hpp>
#include <dszero/config/section.hpp>

#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// Reports a value of a kind that DeepSpeed trips over (TypeError or AttributeError). Always false.
inline bool refuse_shape(std::string_view key, std::string_view expected, const Value& value, Reading& r,
                         const Path& path) {
    r.check = "shape:" + std::string(key);
    r.error("wrong-type", path, r.value_span(value),
            std::string(path.key).append(" must be ").append(expected).append(", got ") + r.shown(value));
    return false;
}

/// The member holds the defaults.
inline bool read_modelled(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_object()) return refuse_shape(row.key(), "an object", value, r, path);
    const std::size_t from = r.diagnostics.size();
    const bool taken = read_members(*row.type->section, member, r.members_of(value), value, r, path);
    if (r.has_aborted()) r.check = "shape:" + std::string(row.key());
    r.settle_abort(path, from);
    return taken && !r.has_errors_since(from);
}

/// The keys that the section's rows name, in their order; others do nothing. Of several that fail, DeepSpeed
/// stops at the first.
inline bool read_looked_up(const Section& section, void* object, const Members& members, Reading& r,
                           const Path& path) {
    bool all = true;
    std::string first_check;
    for (const Row& row : section.rows) {
        if (!row.known_to(r.behaviour.release)) continue;
        const Member* member = find_member(members, row.key());
        if (!member || row.type->read(section.member(object, row), member->value, row, r,
                                      Path{.parent = &path, .key = member->key}))
            continue;
        if (all) first_check = r.check;
        all = false;
    }
    if (!all) r.check = std::move(first_check);
    return all;
}
/// The section of the document that the path is in.
inline std::string_view outermost_key(const Path& path) {
    return path.parent && !path.parent->is_root ? outermost_key(*path.parent) : path.key;
}
inline bool read_plain_section(void* member, const Value& value, const Row& row, Reading& r,
                               const Path& path) {
    if (!value.json->is_object()) return refuse_shape(outermost_key(path), "an object", value, r, path);
    return read_looked_up(*row.type->section, member, r.members_of(value), r, path);
}

/// A section that DeepSpeed looks into later, or not before it is used: anything else than an object passes.
inline bool read_unopened_section(void* member, const Value& value, const Row& row, Reading& r,
                                  const Path& path) {
    return !value.json->is_object() || read_plain_section(member, value, row, r, path);
}

inline bool is_unnamed(const std::optional<std::string>& name) { return !name; }
inline bool is_unnamed(const Plain<std::optional<std::string>>& name) { return name.json().is_null(); }

/// A section that names something and holds its params, which count only with a name.
template <class T>
bool read_named(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    T& named = *static_cast<T*>(member);
    named.params = Json();
    const bool taken = read_plain_section(member, value, row, r, path);
    if (taken && is_unnamed(named.type)) named.params = Json();
    return taken;
}

template <HasSchema T>
inline constexpr MemberType modelled_section = {"an object",   "{...}",
                                                read_modelled, write_nested<T>,
                                                &section<T>,   [](const void* member) { return member; }};
/// `read`: one that looks at what the section holds, too.
template <HasSchema T>
constexpr MemberType plain_section_read_by(ReadMember* read) {
    return {"an object",     "{...}",     read,
            write_nested<T>, &section<T>, [](const void* member) { return member; }};
}
template <HasSchema T>
inline constexpr MemberType plain_section = plain_section_read_by<T>(read_plain_section);
template <HasSchema T>
inline constexpr MemberType named_section = {"an object",   "{...}",
                                             read_named<T>, write_nested<T>,
                                             &section<T>,   [](const void* member) { return member; }};

}  // namespace dszero
