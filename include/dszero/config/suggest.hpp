// SPDX-License-Identifier: MIT
//
// What an unknown key was probably meant to be: a field of a newer or an older
// release, a key of another section, or a misspelling.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/text/unicode.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// The most differences that still make a misspelling.
inline std::size_t most_differences(std::size_t written, std::size_t meant) {
    return std::max<std::size_t>(1, std::min(written, meant) / 4);
}

/// The fewest insertions, deletions, replacements and swaps of neighbours that make one key of the
/// other, both folded. limit + 1 stands for all beyond the limit, and for keys longer than any that
/// DeepSpeed has.
inline std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    constexpr std::size_t longest = 64;
    const std::size_t too_many = limit + 1;
    if (a.size() > longest || b.size() > longest) return too_many;
    if (a.size() > b.size() + limit || b.size() > a.size() + limit) return too_many;
    if (a.empty()) return b.size();
    // Columns of the table of distances as bits, one for each character of a: Hyyrö, A Bit-Vector Algorithm
    // for Computing Levenshtein and Damerau Edit Distances, 2003.
    std::uint64_t places[256] = {};  // of each character in a
    for (std::size_t i = 0; i < a.size(); ++i)
        places[static_cast<unsigned char>(fold(a[i]))] |= std::uint64_t{1} << i;
    const std::size_t last = a.size() - 1;
    std::size_t distance = a.size();
    std::uint64_t rises = ~std::uint64_t{0}, falls = 0;  // down the column
    std::uint64_t diagonal = 0, before = 0;  // where it stays the same; the last character's places
    for (std::size_t j = 0; j < b.size(); ++j) {
        const std::uint64_t here = places[static_cast<unsigned char>(fold(b[j]))];
        const std::uint64_t swapped = ((~diagonal & here) << 1) & before;
        diagonal = (((here & rises) + rises) ^ rises) | here | falls | swapped;
        const std::uint64_t more = falls | ~(diagonal | rises), less = diagonal & rises;  // along the row
        distance += more >> last & 1;
        distance -= less >> last & 1;
        if (distance > limit + (b.size() - 1 - j)) return too_many;
        const std::uint64_t more_above = more << 1 | 1;
        rises = less << 1 | ~(diagonal | more_above);
        falls = diagonal & more_above;
        before = here;
    }
    return distance;
}

/// The name that `written` most looks like a misspelling of.
class Nearest {
public:
    explicit Nearest(std::string_view written) : written_(written), letters_(letters_of(written)) {}

    void consider(std::string_view name) {
        if (is_thinkable(name.size(), letters_of(name))) compare(name);
    }
    /// The same of a name that is_thinkable.
    void compare(std::string_view name) {
        if (distance_ == 0) return;
        const std::size_t limit = std::min(most_differences(written_.size(), name.size()), distance_ - 1);
        const std::size_t distance = edit_distance(written_, name, limit);
        if (distance > limit) return;
        distance_ = distance;
        name_ = name;
    }
    /// Whether a name of so many characters, and of those letters, can be near: nearly always it cannot.
    bool is_thinkable(std::size_t size, std::uint64_t letters) const {
        const std::size_t limit = most_differences(written_.size(), size);
        if (size > written_.size() + limit || written_.size() > size + limit) return false;
        // A difference brings in one letter at most, and takes one away.
        return bits_in(letters & ~letters_) <= limit && bits_in(letters_ & ~letters) <= limit;
    }
    std::string_view name() const { return name_; }  ///< empty: none is near
    std::size_t distance() const { return distance_; }

private:
    /// How many bits are set: std::popcount, which without the processor's instruction is a call.
    static std::size_t bits_in(std::uint64_t bits) {
        bits -= bits >> 1 & 0x5555555555555555;
        bits = (bits & 0x3333333333333333) + (bits >> 2 & 0x3333333333333333);
        return ((bits + (bits >> 4)) & 0x0F0F0F0F0F0F0F0F) * 0x0101010101010101 >> 56;
    }

    std::string_view written_;
    std::uint64_t letters_;
    std::string_view name_{};
    std::size_t distance_ = std::string_view::npos;
};

/// The keys of a section that a word may be a misspelling of.
struct NearKeys {
    Nearest to_write;  ///< among those to write for the release
    Nearest other;     ///< among those that are deprecated, or that other releases read
};
inline NearKeys near_keys(std::string_view written, const Section& section, Release release) {
    const Nearest none(written);
    NearKeys near{none, none};
    const KeyIndex& index = section.index();
    const std::size_t limit = most_differences(written.size(), written.size());
    for (const KeyIndex::Look& key : index.by_length()) {
        if (key.length + limit < written.size()) continue;
        if (key.length > written.size() + limit) break;
        if (!none.is_thinkable(key.length, key.letters)) continue;
        const Row& row = section.rows[key.number / 2];
        if (!row.is_key) continue;
        (row.known_to(release) && !row.deprecated() ? near.to_write : near.other).compare(index[key.number]);
    }
    return near;
}

/// The row of that name or alias, of whatever release, or null.
inline const Row* find_row(const Section& section, std::string_view key) {
    const std::size_t number = section.index().find(key);
    return number == KeyIndex::none ? nullptr : &section.rows[number / 2];
}

/// The row that a document gives by that key, in whatever release, or null.
inline const Row* find_key(const Section& section, std::string_view key) {
    const std::size_t number = section.index().find(key);
    if (number == KeyIndex::none) return nullptr;
    const Row& row = section.rows[number / 2];
    const bool is_its_key = number % 2 == 1 || row.alias.empty();
    return row.is_key && is_its_key ? &row : nullptr;
}

struct Suggestion {
    std::string_view code = "unknown-key";
    std::string reason;  ///< goes on after "unknown key NAME"
    std::string hint;
    std::string_view rename = {};  ///< the key it should be, if that is all that is wrong
    std::string_view other = {};   ///< where there is no hint: a deprecated key like it, or another release's
};

/// Where else the key is one; empty: nowhere.
inline std::string find_place(std::string_view key, const Section& section, const Reading& r) {
    std::string found;
    for (const Place& place : r.places) {
        const Row* row = place.section == &section ? nullptr : find_row(*place.section, key);
        if (row && row->is_key && row->known_to(r.behaviour.release))
            found.append(found.empty() ? "" : " or in ").append(place.name);
    }
    if (!found.empty()) return "it belongs in " + found;
    if (r.top_level && find_key(*r.top_level, key)) return "it belongs at the top level of the document";
    return {};
}

inline Suggestion suggest(std::string_view key, const Section& section, const Reading& r) {
    const Release release = r.behaviour.release;
    if (const Row* row = find_row(section, key)) {
        if (!row->is_key) return {"unknown-key", ": " + std::string(row->derived), "remove it"};
        const std::string target = "; the target is " + release.str();
        if (release < row->since)
            return {"newer-key", ": known since " + row->since.str() + target,
                    "remove it, or use a newer DeepSpeed"};
        return {"removed-key", ": removed in " + row->until.str() + target,
                "remove it, or use an older DeepSpeed"};
    }
    const NearKeys keys = near_keys(key, section, release);
    const Nearest& near = keys.to_write;
    if (near.distance() > 0)
        if (std::string place = find_place(key, section, r); !place.empty())
            return {"misplaced-key", " here", std::move(place)};
    if (near.name().empty()) {
        Suggestion none;
        none.other = keys.other.name();
        return none;
    }
    const std::string name = '"' + std::string(near.name()) + '"';
    return {"unknown-key",
            {},
            near.distance() == 0 ? "write " + name : "did you mean " + name + '?',
            near.name()};
}

/// Reports a key that the section does not have.
inline void report_unknown_key(const Section& section, const Member& member, Reading& r, const Path& path) {
    const Suggestion s = suggest(member.key, section, r);
    Diagnostic& d = r.error(s.code, path, r.key_span(member.value),
                            "unknown key \"" + std::string(member.key) + "\"" + s.reason, s.hint);
    if (!s.rename.empty())
        d.replacement = Replacement{r.key_span(member.value), '"' + std::string(s.rename) + '"'};
}

/// Reports a member that DeepSpeed drops because its value is "auto". `row` is null for an unknown key.
inline void report_dropped_auto(const Row* row, const Section& section, const Member& member, Reading& r,
                                const Path& path) {
    if (row) {
        r.report(Severity::note, "auto", path.pointer(), r.value_span(member.value),
                 std::string(member.key) + ": DeepSpeed drops \"auto\" and takes the default",
                 "Hugging Face's Trainer and Accelerate replace it before DeepSpeed reads it; others write "
                 "the value");
        return;
    }
    const Suggestion s = suggest(member.key, section, r);
    r.report(Severity::warning, s.code, path.pointer(), r.key_span(member.value),
             "unknown key \"" + std::string(member.key) + "\"" + s.reason +
                 "; accepted only because DeepSpeed drops every key whose value is \"auto\"",
             s.hint);
}

inline bool has_lone_surrogate(std::string_view text) {
    for (std::size_t i = 0; i < text.size();) {
        const CodePoint c = code_point_at(text, i);
        if (c.value >= 0xD800 && c.value <= 0xDFFF) return true;
        i += c.length;
    }
    return false;
}

}  // namespace dszero
