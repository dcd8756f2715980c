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
#include <bit>
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
    explicit Nearest(std::string_view written) : written_(written), letters_(letters_of(written)) {
        for (const char c : written) ++count_[bucket(c)];
    }

    void consider(std::string_view name) {
        if (distance_ == 0) return;
        const std::size_t limit = std::min(most_differences(written_.size(), name.size()), distance_ - 1);
        if (lacks_more_than(limit, name)) return;
        const std::size_t distance = edit_distance(written_, name, limit);
        if (distance > limit) return;
        distance_ = distance;
        name_ = name;
    }
    /// Whether a name of so many characters, and of those letters, can be near: nearly always it cannot.
    bool is_thinkable(std::size_t size, std::uint32_t letters) const {
        const std::size_t limit = most_differences(written_.size(), size);
        if (size > written_.size() + limit || written_.size() > size + limit) return false;
        // Each difference brings in one letter at most, and takes one away.
        return static_cast<std::size_t>(std::popcount(letters ^ letters_)) <= 2 * limit;
    }
    std::string_view name() const { return name_; }  ///< empty: none is near
    std::size_t distance() const { return distance_; }

private:
    using Counts = std::array<std::uint8_t, 32>;
    static std::size_t bucket(char c) { return static_cast<unsigned char>(fold(c)) % 32; }

    /// Whether more than so many of the name's characters are missing from `written`, wherever they stand.
    bool lacks_more_than(std::size_t limit, std::string_view name) const {
        Counts left = count_;
        std::size_t missing = 0;
        for (const char c : name) {
            std::uint8_t& of_this = left[bucket(c)];
            of_this == 0 ? ++missing : --of_this;
        }
        return missing > limit;
    }

    std::string_view written_;
    std::uint32_t letters_;
    Counts count_{};  // of a long word they may wrap around: no name is as long
    std::string_view name_{};
    std::size_t distance_ = std::string_view::npos;
};

/// The keys of a section that a word may be a misspelling of.
struct NearKeys {
    Nearest to_write;  ///< among those to write for the release
    Nearest other;     ///< among those that are deprecated, or that other releases read
};
inline NearKeys near_keys(std::string_view written, const Section& section, Release release) {
    const Nearest nothing(written);
    NearKeys near{nothing, nothing};
    const KeyIndex& index = section.index();
    const auto consider = [&](std::size_t number) {
        if (!nothing.is_thinkable(index[number].size(), index.letters(number))) return;
        const Row& row = section.rows[number / 2];
        if (!row.is_key) return;
        (row.known_to(release) && !row.deprecated() ? near.to_write : near.other).consider(index[number]);
    };
    for (std::size_t key = 1; key < index.size(); key += 2) {
        consider(key);
        if (index[key].data() != index[key - 1].data()) consider(key - 1);  // has an alias
    }
    return near;
}

/// The row of that name or alias, of whatever release, or null.
inline const Row* find_row(const Section& section, std::string_view key) {
    const std::size_t number = section.index().find(key);
    return number == KeyIndex::none ? nullptr : &section.rows[number / 2];
}

/// Whether the section reads that key, in whatever release.
inline bool is_key_of(const Section& section, std::string_view key) {
    const Row* row = find_row(section, key);
    return row && row->is_key && row->key() == key;
}

struct Suggestion {
    std::string code = "unknown-key";
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
    if (r.top_level && is_key_of(*r.top_level, key)) return "it belongs at the top level of the document";
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
