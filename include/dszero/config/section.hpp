// SPDX-License-Identifier: MIT
//
// Reading and writing a section by walking its rows, in pydantic's order:
// fields, then what spans several fields, then deprecated keys.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/mapping.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/config/suggest.hpp>
#include <dszero/text/small_vector.hpp>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace dszero {

/// Reads `value` into `object`, which holds the defaults. False, and reported, if DeepSpeed refuses it.
/// `owner`: the row of the field that the section is the value of.
bool read_section(const Section& section, void* object, const Value& value, const Row& owner, Reading& r,
                  const Path& path);

/// The same for a section whose members are known. `whole`: what messages about the section as a whole point
/// at.
bool read_members(const Section& section, void* object, const Members& members, const Value& whole,
                  Reading& r, const Path& path);

/// The section as JSON: its keys, or all attributes that DeepSpeed's object has.
Json write_section(const Section& section, const void* object, const Writing& w);

/// The defaults of an older release, where they differ from the struct's.
inline void apply_defaults_of(Release release, const Section& section, void* object) {
    if (release >= newest_release) return;
    for (const Row& row : section.rows)
        if (row.assign_before && release < row.changed)
            row.assign_before(section.member(object, row), row.default_before);
}

/// What a section gives for a field.
struct Given {
    const Row* row = nullptr;
    std::string_view key;  ///< as written: the field's name or its alias
    Value value;
    bool present = false;
    bool passed = true;  ///< given and taken, or not given

    bool taken() const { return present && passed; }
};
using Givens = SmallVector<Given, 16>;

/// What a check may see and say.
class Checking {
public:
    Checking(void* object, const Givens& given, Reading& r, const Path& path, bool refused)
        : reading(r), object_(object), given_(given), path_(path), refused_(refused) {}

    Reading& reading;

    template <class T>
    T& object() const {
        return *static_cast<T*>(object_);
    }
    const Given& field(std::string_view name) const {
        static constexpr Given absent;
        for (const Given& given : given_)
            if (given.row->name == name) return given;
        return absent;
    }
    bool refused() const { return refused_; }

    /// The check fails. DeepSpeed reports it, at the section itself, only if it got this far.
    Diagnostic& fail(std::string_view code, Span where, std::string message, std::string_view hint = {}) {
        const std::size_t from = reading.diagnostics.size();
        reading.error(code, path_, where, std::move(message), hint);
        if (refused_) reading.demote(from);
        refused_ = true;
        return reading.diagnostics.back();
    }
    /// The same for a check that belongs to one field's validation.
    void fail_at(std::string_view field_name, std::string_view code, Span where, std::string message,
                 std::string_view hint = {}) {
        reading.error(code, Path{.parent = &path_, .key = field_name}, where, std::move(message), hint);
    }
    /// What DeepSpeed itself logs at this point, as a tag.
    void log(std::string tag) const {
        if (!refused_) reading.warnings.push_back(std::move(tag));
    }
    std::string pointer_to(std::string_view field_name) const {
        return Path{.parent = &path_, .key = field_name}.pointer();
    }

private:
    void* object_;
    const Givens& given_;
    const Path& path_;
    bool refused_;
};

inline void run_checks(Phase phase, Checking& c, const Section& section) {
    const Release release = c.reading.behaviour.release;
    for (const Check& check : section.checks)
        if (check.phase == phase && check.since <= release && release < check.until) check.run(c);
}

/// A true `strict` keeps "auto" where DeepSpeed drops it otherwise. It is no field itself.
inline bool keeps_auto(const Members& members) {
    const Member* strict = find_member(members, "strict");
    return strict && is_truthy(*strict->value.json);
}

/// The place for what is given for the row's field. Places are in the order of the rows.
inline Given& place_for(const Row& row, Givens& given) {
    std::size_t at = given.size();
    while (at > 0 && given[at - 1].row > &row) --at;
    if (at > 0 && given[at - 1].row == &row) return given[at - 1];
    Given place;
    place.row = &row;
    return given.insert(at, place);
}

/// Which row each member belongs to; what belongs to none is reported.
/// False if a key is no text to pydantic 2, which then reports nothing else of the section.
inline bool assign_members(const Section& section, const Members& members, Givens& given, Reading& r,
                           const Path& path) {
    const bool keep_auto = keeps_auto(members);
    bool all_unicode = true;
    for (const Member& member : members) {
        if (member.key == "strict") continue;
        const Row* row = find_row(section, member.key);
        if (row && !(row->is_key && row->known_to(r.behaviour.release))) row = nullptr;
        const Path at{.parent = &path, .key = member.key};
        const bool kept = keep_auto || (member.key == "replace_method" && r.behaviour.keeps_replace_method);
        if (!kept && is_word(*member.value.json, "auto")) {
            report_dropped_auto(row, section, member, r, at);
            continue;
        }
        if (!row) {
            if (r.behaviour.pydantic_2 && has_lone_surrogate(member.key)) all_unicode = false;
            report_unknown_key(section, member, r, at);
            continue;
        }
        Given& slot = place_for(*row, given);
        if (slot.present && slot.key == member.key) continue;  // repeated: the reader has said so
        if (!slot.present) {
            slot = {row, member.key, member.value, true, true};
            continue;
        }
        // both the alias and the name: the alias counts, the name is one key too many
        const bool this_is_alias = member.key == row->key();
        const Member extra = this_is_alias ? Member{slot.key, slot.value} : member;
        if (this_is_alias) slot = {row, member.key, member.value, true, true};
        r.error(
            "duplicate-key", Path{.parent = &path, .key = extra.key}, r.key_span(extra.value),
            std::string(row->key()) + " and " + std::string(row->name) + " are the same field, given twice",
            "remove one of them");
    }
    return all_unicode;
}

inline bool read_section(const Section& section, void* object, const Value& value, const Row& owner,
                         Reading& r, const Path& path) {
    if (section.container == Container::its_own && value.json->is_null()) return true;
    Members members;
    if (read_mapping(value, r, members)) return read_members(section, object, members, value, r, path);
    if (section.container == Container::pydantics_choice) return refuse(Refusal::kind, value, owner, r, path);
    r.abort(value, std::string(path.key) + " must be an object or null, got " + r.shown(value));
    return false;
}

/// A key that cannot be passed as a keyword, since the constructor has a parameter of that name.
inline const Member* find_unpassable(const Members& members, const Behaviour& behaviour) {
    for (const Member& member : members) {
        if (member.key == "self") return &member;
        const bool of_pydantic_1 = member.key == "__pydantic_self__" && !is_word(*member.value.json, "auto");
        if (of_pydantic_1 && !behaviour.pydantic_2) return &member;
    }
    return nullptr;
}

inline bool read_members(const Section& section, void* object, const Members& members, const Value& whole,
                         Reading& r, const Path& path) {
    const std::size_t start = r.diagnostics.size();
    if (const Member* member = find_unpassable(members, r.behaviour)) {
        const std::string message =
            "the key \"" + std::string(member->key) + "\" makes DeepSpeed fail with a TypeError";
        const bool caught = path.parent != nullptr && !r.behaviour.pydantic_2;
        if (caught)
            r.error("unknown-key", path, r.key_span(member->value), message, "remove it");
        else
            r.abort(member->value, message, "remove it");
        return false;
    }
    Givens given;
    const bool all_unicode = assign_members(section, members, given, r, path);
    for (Given& field : given) {
        const Row& row = *field.row;
        // pydantic 1 always names the alias, pydantic 2 what was written
        const Path at{.parent = &path, .key = r.behaviour.pydantic_2 ? field.key : row.key()};
        field.passed = row.type->read(section.member(object, row), field.value, row, r, at);
    }
    Checking among_fields(object, given, r, path, false);
    run_checks(Phase::fields, among_fields, section);
    if (!all_unicode) {
        r.demote(start);
        r.error("unknown-key", path, r.value_span(whole), "a key holds a lone surrogate, which is no text");
    }
    Checking checking(object, given, r, path, r.has_errors_since(start));
    run_checks(Phase::after, checking, section);
    run_checks(Phase::deprecated, checking, section);
    return !checking.refused();
}

inline Json write_section(const Section& section, const void* object, const Writing& w) {
    Json out = json_object();
    for (const Row& row : section.rows) {
        if (!row.known_to(w.release)) continue;
        Json value = row.type->write(section.member(object, row), w);
        if (value.is_discarded()) continue;  // a deleted attribute
        if (!w.attributes && (!row.is_key || row.moves || (row.deprecated() && value.is_null()))) continue;
        append_member(out, w.attributes ? row.name : row.key(), std::move(value));
    }
    return out;
}

// Sections as members of sections.

template <class T>
concept HasSchema = HasSection<T> && requires {
    schema<T>::rows;
};

template <HasSchema T>
bool read_nested(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    T object{};
    apply_defaults_of(r.behaviour.release, section<T>, &object);
    if (!read_section(section<T>, &object, value, row, r, path)) return false;
    *static_cast<T*>(member) = std::move(object);
    return true;
}
template <HasSchema T>
Json write_nested(const void* member, const Writing& w) {
    return write_section(section<T>, member, w);
}

template <HasSchema T>
inline constexpr MemberType section_type = {"an object or null", "{...}",
                                            read_nested<T>,      write_nested<T>,
                                            &section<T>,         [](const void* member) { return member; }};
/// A std::optional<T>, which the section's own reader fills.
template <HasSchema T>
constexpr MemberType optional_section(std::string_view expected, ReadMember* read) {
    return {expected,
            "{...}",
            read,
            write_optional<T, write_nested<T>>,
            &section<T>,
            [](const void* member) -> const void* {
                const auto& optional = *static_cast<const std::optional<T>*>(member);
                return optional ? &*optional : nullptr;
            }};
}
template <HasSchema T>
inline constexpr MemberType optional_section_type = optional_section<T>("an object or null",
                                                                        read_optional<T, read_nested<T>>);

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/definitions/section.hpp>
#endif
