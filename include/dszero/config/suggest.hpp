// SPDX-License-Identifier: MIT
//
// What an unknown key was probably meant to be: a field of a newer or an older
// release, a key of another section, or a misspelling.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/text/unicode.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// The most differences that still make a misspelling.
inline std::size_t most_differences(std::string_view written, std::string_view meant) {
    return std::max<std::size_t>(1, std::min(written.size(), meant.size()) / 4);
}

/// A key's character as comparisons for likeness see it: in lower case, '-' and ' ' as '_'.
constexpr char fold(char c) {
    if (c >= 'A' && c <= 'Z') return static_cast<char>(c - 'A' + 'a');
    return c == '-' || c == ' ' ? '_' : c;
}

/// The fewest insertions, deletions, replacements and swaps of neighbours that make one key of the
/// other, both folded. limit + 1 stands for all beyond the limit, and for keys longer than any that
/// DeepSpeed has.
inline std::size_t edit_distance(std::string_view a, std::string_view b, std::size_t limit) {
    constexpr std::size_t longest = 64;
    const std::size_t too_many = limit + 1;
    if (a.size() > longest || b.size() > longest) return too_many;
    if (a.size() > b.size() + limit || b.size() > a.size() + limit) return too_many;
    std::size_t rows[3][longest + 2];
    std::size_t *before_last = rows[0], *last = rows[1], *row = rows[2];
    for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        // a path that strays from the diagonal by more than the limit costs more than the limit
        const std::size_t first = i > limit ? i - limit : 1;
        const std::size_t end = std::min(b.size(), i + limit) + 1;
        row[first - 1] = first == 1 ? i : too_many;
        std::size_t least = row[first - 1];
        const char of_a = fold(a[i - 1]);
        for (std::size_t j = first; j < end; ++j) {
            const char of_b = fold(b[j - 1]);
            row[j] = std::min(std::min(last[j], row[j - 1]) + 1, last[j - 1] + (of_a == of_b ? 0 : 1));
            if (i > 1 && j > 1 && of_a == fold(b[j - 2]) && fold(a[i - 2]) == of_b)
                row[j] = std::min(row[j], before_last[j - 2] + 1);
            least = std::min(least, row[j]);
        }
        row[end] = too_many;
        if (least > limit) return too_many;
        std::size_t* const oldest = before_last;
        before_last = last;
        last = row;
        row = oldest;
    }
    return std::min(last[b.size()], too_many);
}

/// The name that `written` most looks like a misspelling of.
class Nearest {
public:
    explicit Nearest(std::string_view written) : written_(written) {
        for (const char c : written) ++count_[bucket(c)];
    }

    void consider(std::string_view name) {
        if (distance_ == 0) return;
        const std::size_t limit = std::min(most_differences(written_, name), distance_ - 1);
        if (name.size() + limit < written_.size() || lacks_more_than(limit, name))
            return;  // as nearly always
        const std::size_t distance = edit_distance(written_, name, limit);
        if (distance > limit) return;
        distance_ = distance;
        name_ = name;
    }
    std::string_view name() const { return name_; }  ///< empty: none is near
    std::size_t distance() const { return distance_; }

private:
    using Counts = std::array<std::uint32_t, 32>;
    static std::size_t bucket(char c) { return static_cast<unsigned char>(fold(c)) % 32; }

    /// Whether more than so many of the name's characters are missing from `written`, wherever they stand.
    bool lacks_more_than(std::size_t limit, std::string_view name) const {
        if (name.size() > written_.size() + limit) return true;
        Counts used{};
        std::size_t missing = 0;
        for (const char c : name) missing += ++used[bucket(c)] > count_[bucket(c)];
        return missing > limit;
    }

    std::string_view written_;
    Counts count_{};
    std::string_view name_{};
    std::size_t distance_ = std::string_view::npos;
};

/// The key of the section that `written` is a misspelling of.
inline Nearest nearest_key(std::string_view written, const Section& section, Release release) {
    Nearest nearest(written);
    for (const Row& row : section.rows) {
        if (!row.known_to(release) || !row.is_key || row.deprecated()) continue;
        nearest.consider(row.key());
        if (!row.alias.empty()) nearest.consider(row.name);
    }
    return nearest;
}

/// The row of that name or alias, of whatever release, or null.
inline const Row* find_row(const Section& section, std::string_view key) {
    const std::size_t number = section.index().find(key);
    return number == KeyIndex::none ? nullptr : &section.rows[number / 2];
}

struct Suggestion {
    std::string code = "unknown-key";
    std::string reason;  ///< goes on after "unknown key NAME"
    std::string hint;
    std::string_view rename = {};  ///< the key it should be, if that is all that is wrong
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
    for (std::string_view top : r.top_level_keys)
        if (top == key) return "it belongs at the top level of the document";
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
    const Nearest near = nearest_key(key, section, release);
    if (near.distance() > 0)
        if (std::string place = find_place(key, section, r); !place.empty())
            return {"misplaced-key", " here", std::move(place)};
    if (near.name().empty()) return {};
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
