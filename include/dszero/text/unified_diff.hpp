// SPDX-License-Identifier: MIT
//
// The difference of two texts as `diff -u` shows it, for people, patch and git.
// Lines are matched by Myers' greedy algorithm ("An O(ND) Difference Algorithm", 1986);
// texts that differ in very many lines are shown as one replaced by the other.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// Empty where the texts are equal. Three lines of context.
std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

/// Lines [a, a + removed) of one text became [b, b + added) of another.
struct ChangedLines {
    std::size_t a, removed, b, added;
};

/// A text's lines, each with its line end.
inline std::vector<std::string_view> lines_of(std::string_view text) {
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size() - 1) + 1;
        lines.push_back(text.substr(0, end));
        text.remove_prefix(end);
    }
    return lines;
}

/// A file's name as git and patch write and read it: in quotes where a character would break the line, with
/// a tab behind it where a blank would end it.
inline std::string name_in_header(std::string_view name) {
    const auto breaks = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; };
    if (std::none_of(name.begin(), name.end(), breaks))
        return std::string(name) + (name.find(' ') == name.npos ? "" : "\t");
    std::string out = "\"";
    for (const char c : name) {
        if (!breaks(c)) {
            out += c;
            continue;
        }
        out += '\\';
        if (c == '"' || c == '\\')
            out += c;
        else
            for (const int shift : {6, 3, 0}) out += static_cast<char>('0' + ((c >> shift) & 7));
    }
    return out + '"';
}

using Lines = std::vector<std::string_view>;

/// What changed, in order.
inline std::vector<ChangedLines> changed_lines(const Lines& a, const Lines& b) {
    constexpr std::ptrdiff_t most_differences = 1000;
    const auto n = static_cast<std::ptrdiff_t>(a.size()), m = static_cast<std::ptrdiff_t>(b.size());
    const std::ptrdiff_t limit = std::min(n + m, most_differences);
    const auto line = [](const Lines& lines, std::ptrdiff_t i) { return lines[static_cast<std::size_t>(i)]; };

    // furthest[d][k + d]: how far into a one gets along diagonal k (a's index less b's) with d differences
    std::vector<std::vector<std::ptrdiff_t>> furthest;
    const auto reached = [&](std::ptrdiff_t d, std::ptrdiff_t k) {
        return d < 0 || k < -d || k > d
                   ? -1
                   : furthest[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)];
    };
    // whether the d-th difference on diagonal k is a line added, not one removed
    const auto adds = [&](std::ptrdiff_t d, std::ptrdiff_t k) {
        return k == -d || (k != d && reached(d - 1, k - 1) < reached(d - 1, k + 1));
    };
    std::ptrdiff_t d = 0;
    bool found = false;
    for (; d <= limit && !found; ++d) {
        furthest.emplace_back(static_cast<std::size_t>(2 * d + 1));
        for (std::ptrdiff_t k = -d; k <= d; k += 2) {
            std::ptrdiff_t x = d == 0 ? 0 : adds(d, k) ? reached(d - 1, k + 1) : reached(d - 1, k - 1) + 1;
            while (x < n && x - k >= 0 && x - k < m && line(a, x) == line(b, x - k)) ++x;
            furthest[static_cast<std::size_t>(d)][static_cast<std::size_t>(k + d)] = x;
            if (k == n - m && x >= n) found = true;
        }
    }
    if (!found) return {{0, a.size(), 0, b.size()}};

    std::vector<ChangedLines> changes;  // backwards, then joined
    std::ptrdiff_t k = n - m;
    for (--d; d > 0; --d) {
        const bool added = adds(d, k);
        k += added ? 1 : -1;
        const std::ptrdiff_t x = reached(d - 1, k);
        const ChangedLines one{static_cast<std::size_t>(x), added ? 0u : 1u, static_cast<std::size_t>(x - k),
                               added ? 1u : 0u};
        if (!changes.empty() && changes.back().a == one.a + one.removed &&
            changes.back().b == one.b + one.added)
            changes.back() = {one.a, one.removed + changes.back().removed, one.b,
                              one.added + changes.back().added};
        else
            changes.push_back(one);
    }
    std::reverse(changes.begin(), changes.end());
    return changes;
}

inline std::string unified_diff(std::string_view name, std::string_view before, std::string_view after) {
    constexpr std::size_t context = 3;
    const Lines a = lines_of(before), b = lines_of(after);
    const std::vector<ChangedLines> changes = changed_lines(a, b);
    std::string out;
    const auto write = [&](char mark, std::string_view line) {
        out.append(1, mark).append(line);
        if (!line.ends_with('\n')) out += "\n\\ No newline at end of file\n";
    };
    const auto range = [](std::size_t first, std::size_t count) {
        return std::to_string(count == 0 ? first : first + 1) +
               (count == 1 ? "" : "," + std::to_string(count));
    };
    for (std::size_t i = 0; i < changes.size();) {
        std::size_t end = i + 1;  // changes [i, end) share a hunk
        while (end < changes.size() &&
               changes[end].a - (changes[end - 1].a + changes[end - 1].removed) <= 2 * context)
            ++end;
        const ChangedLines &first = changes[i], &last = changes[end - 1];
        const std::size_t lead = std::min(first.a, context);
        const std::size_t tail = std::min(a.size() - (last.a + last.removed), context);
        const std::size_t from_a = first.a - lead, to_a = last.a + last.removed + tail;
        const std::size_t from_b = first.b - lead, to_b = last.b + last.added + tail;
        if (out.empty()) {
            const std::string shown = name_in_header(name);
            out.append("--- ").append(shown).append("\n+++ ").append(shown).append("\n");
        }
        out += "@@ -" + range(from_a, to_a - from_a) + " +" + range(from_b, to_b - from_b) + " @@\n";
        std::size_t at = from_a;
        for (; i < end; ++i) {
            for (; at < changes[i].a; ++at) write(' ', a[at]);
            for (std::size_t j = 0; j < changes[i].removed; ++j) write('-', a[at++]);
            for (std::size_t j = 0; j < changes[i].added; ++j) write('+', b[changes[i].b + j]);
        }
        for (; at < to_a; ++at) write(' ', a[at]);
    }
    return out;
}

}  // namespace dszero
