// SPDX-License-Identifier: MIT
//
// Mending a document by the smallest edits of its text: what the diagnostics offer to
// replace, and misplaced keys moved to where they belong.
// A safe repair leaves every value as DeepSpeed reads it (deprecated keys apart, which it
// replaces); of a fraction that DeepSpeed refuses it keeps what releases before 0.15.0
// made of it. Any other one gives a key an effect that it did not have.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/lint/tree_walk.hpp>
#include <dszero/text/edit.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// One repair: what was wrong, and what to do about it.
struct Repair {
    Diagnostic why;
    Edits edits;
    bool safe = false;
    std::string writes{};  ///< the pointer of the key that comes to be, where it was not before
};

struct Fixed {
    std::string text;
    std::vector<Repair> done;
    std::vector<Repair> left;  ///< not made, since they are not safe
};

enum class FixScope : unsigned char { safe, unsafe };

/// More than any configuration that is worth mending.
constexpr std::size_t max_fixable_bytes = std::size_t{1} << 20;
constexpr std::size_t max_repairs = 1000;

/// The text as `options` read it, mended until there is nothing left to mend. Safe repairs of an accepted
/// document are proven by reading the result: throws std::logic_error if it has other values. Throws
/// std::length_error for a text of over 1 MiB.
Fixed fix(const std::string& text, const LoadOptions& options, FixScope scope);

/// The repairs that a document's diagnostics offer, in document order; of the first max_repairs.
std::vector<Repair> find_repairs(const Document& document);

/// Whether DeepSpeed makes the same of both documents, deprecated keys apart.
bool same_values(const Document& a, const Document& b);

// ---- the parts

/// The pointers of the sections that have such a key, the document's top level ("") among them.
inline std::vector<std::string> homes_of(std::string_view key, Release release) {
    std::vector<std::string> homes;
    for (const Place& place : zero_places()) {
        const Row* row = find_row(*place.section, key);
        if (!row || !row->is_key || !row->known_to(release)) continue;
        homes.push_back('/' + std::string(place.name));
        std::replace(homes.back().begin(), homes.back().end(), '.', '/');
    }
    if (homes.empty() && is_top_level_key(key)) homes.emplace_back();
    return homes;
}

/// Whether a field is among the members, under either of its names.
inline bool has_key(const Members& members, std::string_view key) {
    if (find_member(members, key)) return true;
    for (const Place& place : zero_places())
        if (const Row* row = find_row(*place.section, key))
            if (find_member(members, row->name) || find_member(members, row->key())) return true;
    return false;
}

/// A field's name, whichever of its names the key is.
inline std::string_view field_of(std::string_view key) {
    for (const Place& place : zero_places())
        if (const Row* row = find_row(*place.section, key)) return row->name;
    return key;
}

/// Whether a key stands twice in an object, or below: the tree has only the last one then, and which of them
/// is meant is for people to say.
inline bool holds_repeated_keys(const Document& document, const Value& object) {
    const Span span = document.tree.nodes[object.node].value;
    return std::any_of(document.diagnostics.begin(), document.diagnostics.end(), [&](const Diagnostic& d) {
        return d.code == "duplicate-key" && span.begin <= d.range.begin.offset &&
               d.range.begin.offset < span.end;
    });
}

/// Makes the replacement that a diagnostic offers the repair; not where it would write a key that its object
/// has already, if only as "auto".
inline void replace(const Document& document, Repair& repair) {
    const Replacement& offered = *repair.why.replacement;
    const std::string_view written = offered.text;
    const std::size_t quote = written.starts_with('"') ? written.find('"', 1) : written.npos;
    const TreeWalk walk(document);
    Value owner{};
    const Value value = walk.find(repair.why.pointer, &owner);
    if (owner.json && holds_repeated_keys(document, owner)) return;
    if (value.json && owner.json && quote != written.npos &&
        offered.span.begin == document.tree.nodes[value.node].key.begin) {
        const std::string_view key = written.substr(1, quote - 1);
        const std::size_t slash = repair.why.pointer.rfind('/');
        if (has_key(walk.members_of(owner), key)) return;
        repair.writes = repair.why.pointer.substr(0, slash + 1).append(field_of(key));
    }
    repair.edits = {offered};
}

/// Makes moving a misplaced member home the repair; not where that is not clear, or the key is there already.
inline void move_home(const Document& document, Repair& repair) {
    const Diagnostic& misplaced = repair.why;
    const TreeWalk walk(document);
    const std::string_view text = document.source.text;
    const auto& nodes = document.tree.nodes;
    Value from{};
    const Value member = walk.find(misplaced.pointer, &from);
    if (!member.json || !from.json || holds_repeated_keys(document, from)) return;
    const std::string key = [&] {
        for (const Member& m : walk.members_of(from))
            if (m.value.node == member.node) return std::string(m.key);
        return std::string();
    }();
    const std::vector<std::string> homes = homes_of(key, document.release);
    if (homes.size() != 1) return;

    // an open string, without quotes, ends with its line: it is written with quotes, to stand anywhere
    const auto is_open = [&](const Value& value) {
        const char first = text[nodes[value.node].value.begin];
        return value.json->is_string() && first != '"' && first != '\'';
    };
    const std::string value =
        is_open(member) ? write_json(*member.json) : std::string(spelling(text, nodes[member.node].value));
    std::string written = std::string(spelling(text, nodes[member.node].key)) + ": " + value;
    Value home = walk.find(homes[0]);
    repair.writes = homes[0] + (home.json ? '/' + std::string(field_of(key)) : "");
    if (!home.json) {  // the section is not there yet
        const std::size_t slash = homes[0].rfind('/');
        written = '"' + homes[0].substr(slash + 1) + "\": {" + written + '}';
        home = walk.find(homes[0].substr(0, slash));
        if (home.json && home.node == from.node) {
            repair.edits = {{{nodes[member.node].key.begin, nodes[member.node].value.end}, written}};
            return;
        }
    }
    if (!home.json || !home.json->is_object() || holds_repeated_keys(document, home)) return;
    const Members there = walk.members_of(home);
    if (has_key(there, key)) return;
    remove_member(text, nodes, from.node, member.node, repair.edits);
    insert_member(text, nodes, home.node, written, !there.empty() && is_open(there.back().value),
                  repair.edits);
}

/// A key's new name as the old one was written: without quotes if that had none.
inline void keep_quotes(std::string_view text, Replacement& replacement) {
    const std::string_view old = spelling(text, replacement.span);
    std::string& name = replacement.text;
    const bool plain = name.size() > 2 &&
                       name.find_first_not_of("\"abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
    if (!old.empty() && old[0] != '"' && old[0] != '\'' && plain && name.front() == '"' && name.back() == '"')
        name = name.substr(1, name.size() - 2);
}

inline std::vector<Repair> find_repairs(const Document& document) {
    std::vector<Repair> repairs;
    std::size_t tried = 0;
    for (const Diagnostic& d : document.diagnostics) {
        if (!d.replacement && d.code != "misplaced-key") continue;
        if (++tried > max_repairs) break;
        Repair repair{
            d, {}, d.code == "deprecated-key" || d.code == "deprecated-boolean" || d.code == "fraction"};
        if (d.replacement)
            replace(document, repair);
        else if (d.code == "misplaced-key")
            move_home(document, repair);
        if (d.code == "unknown-key" && !repair.edits.empty())
            keep_quotes(document.source.text, repair.edits[0]);
        if (!repair.edits.empty()) repairs.push_back(std::move(repair));
    }
    return repairs;
}

inline bool same_values(const Document& a, const Document& b) {
    if (!a.config || !b.config) return false;
    const auto values = [](DeepSpeedConfig config) {
        DeepSpeedZeroConfig& zero = config.zero_config;
        zero.cpu_offload_param = zero.cpu_offload_use_pin_memory = zero.cpu_offload = {};
        zero.stage3_gather_fp16_weights_on_model_save = {};
        return config;
    };
    return values(*a.config) == values(*b.config);
}

inline Fixed fix(const std::string& text, const LoadOptions& options, FixScope scope) {
    constexpr int most_rounds = 20;  // a repair may lay another one open, or stand in its way
    if (text.size() > max_fixable_bytes)
        throw std::length_error(options.name + ": over 1 MiB, too much to mend");
    const Document before = parse(text, options);
    Document now = before;
    Fixed result;
    for (int round = 0; round < most_rounds; ++round) {
        result.left.clear();
        Edits edits;
        std::set<std::string> written;  // no key is written twice
        for (Repair& repair : find_repairs(now)) {
            if (!repair.safe && scope == FixScope::safe) {
                result.left.push_back(std::move(repair));
            } else if (!collide(edits, repair.edits) &&
                       (repair.writes.empty() || written.insert(repair.writes).second)) {
                edits.insert(edits.end(), repair.edits.begin(), repair.edits.end());
                result.done.push_back(std::move(repair));
            }
        }
        if (edits.empty()) break;
        now = parse(apply_edits(now.source.text, std::move(edits)), options);
    }
    // a value that differs from itself, such as NaN, proves nothing
    if (scope == FixScope::safe && same_values(before, before) && !same_values(before, now))
        throw std::logic_error(options.name +
                               ": a repair would change what DeepSpeed reads; nothing is changed");
    result.text = std::move(now.source.text);
    return result;
}

}  // namespace dszero
