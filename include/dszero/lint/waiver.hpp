// SPDX-License-Identifier: MIT
//
// Waivers: findings that somebody has looked at, and wants to keep quiet, with a reason.
// In a comment, behind what it is about or on a line of its own above:
//
//     "allgather_partitions": true,  // dszero: ignore never-read: our 0.7 cluster reads it
//
// or, for strict JSON, in a file NAME.waivers beside NAME, a line each; the pointer may be left out:
//
//     never-read /zero_optimization/allgather_partitions: our 0.7 cluster reads it
//
// Errors cannot be waived: DeepSpeed refuses the document all the same.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/text/diagnostic.hpp>
#include <dszero/text/edit.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

struct Waiver {
    std::string code;
    std::string reason;        ///< empty: none is given
    std::size_t line = 0;      ///< of the document, that it is about; 0: any
    std::size_t own_line = 0;  ///< where it stands; it is about that, too
    std::string pointer;       ///< or the place; empty: any
    Span span;                 ///< where the waiver stands, in its own text
    bool used = false;
};

struct Waived {
    Diagnostic finding;
    std::string reason;
    bool in_document = true;  ///< by a comment; else by the file of waivers beside it
};

inline std::string_view trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r";
    while (!text.empty() && blank.find(text.front()) != std::string_view::npos) text.remove_prefix(1);
    while (!text.empty() && blank.find(text.back()) != std::string_view::npos) text.remove_suffix(1);
    return text;
}

/// Where keys and values stand: what lies between them may be a comment.
class Tokens {
public:
    explicit Tokens(const Document& document) {
        const Nodes& nodes = document.tree.nodes;  // in the text's order
        const std::string_view text = document.source.text;
        for (std::size_t i = 0; i < nodes.size(); ++i) {
            const Span value = nodes[i].value;
            const bool container =
                nodes[i].end != i + 1 ||
                (value.begin < text.size() && (text[value.begin] == '{' || text[value.begin] == '['));
            starts_.push_back(nodes[i].key.end ? nodes[i].key.begin : value.begin);
            if (nodes[i].key.end) spans_.push_back(nodes[i].key);
            if (!container) spans_.push_back(value);
        }
    }

    /// Whether the place is part of a key or of a value that is no container, and so in no comment.
    bool cover(std::size_t place) const {
        const auto behind = std::upper_bound(spans_.begin(), spans_.end(), place,
                                             [](std::size_t at, Span span) { return at < span.begin; });
        return behind != spans_.begin() && place < std::prev(behind)->end;
    }

    /// Where the next key, or element of an array, begins; the text's end if there is none.
    std::size_t next(std::size_t place, std::size_t text_end) const {
        const auto behind = std::upper_bound(starts_.begin(), starts_.end(), place);
        return behind == starts_.end() ? text_end : *behind;
    }

private:
    std::vector<std::size_t> starts_;
    std::vector<Span> spans_;
};

/// One waiver for each code of "CODE, CODE: reason".
inline void add_waivers(std::string_view text, Waiver waiver, std::vector<Waiver>& waivers) {
    const std::size_t colon = text.find(':');
    if (colon != std::string_view::npos) waiver.reason = trimmed(text.substr(colon + 1));
    for (std::string_view codes = text.substr(0, colon);;) {
        const std::size_t comma = codes.find(',');
        waiver.code = trimmed(codes.substr(0, comma));
        waivers.push_back(waiver);
        if (comma == std::string_view::npos) return;
        codes.remove_prefix(comma + 1);
    }
}

/// The waivers in a document's comments.
inline std::vector<Waiver> waivers_in(const Document& document) {
    constexpr std::string_view mark = "dszero: ignore";
    const std::string_view text = document.source.text;
    std::vector<Waiver> waivers;
    if (!document.tree.beyond_json || text.find(mark) == text.npos) return waivers;
    const Tokens tokens(document);
    std::vector<std::uint64_t> places;  // of each: where it stands, and what it is about
    for (std::size_t at = text.find(mark); at != text.npos; at = text.find(mark, at + 1)) {
        std::string_view before = text.substr(0, at);
        while (!before.empty() && is_blank(before.back())) before.remove_suffix(1);
        if (!before.ends_with("//") && !before.ends_with('#') && !before.ends_with("/*")) continue;
        if (tokens.cover(at)) continue;
        const std::size_t comment = before.size() - (before.ends_with('#') ? 1 : 2);
        std::string_view rest = text.substr(at + mark.size());
        if (!rest.empty() && !is_blank(rest[0]) && !is_line_end(rest[0]) && rest[0] != '*') continue;
        rest = rest.substr(0, rest.find_first_of("\r\n"));
        rest = rest.substr(0, rest.find("*/"));
        Waiver waiver;
        waiver.span = {static_cast<std::uint32_t>(comment),
                       static_cast<std::uint32_t>(at + mark.size() + rest.size())};
        const bool alone = is_first_in_line(text, comment);
        const std::size_t about = alone ? tokens.next(comment, text.size()) : comment;
        add_waivers(rest, std::move(waiver), waivers);
        for (std::size_t i = places.size() / 2; i < waivers.size(); ++i)
            places.insert(places.end(), {comment, about});
    }
    const std::vector<Position> located = locate(text, places);
    for (std::size_t i = 0; i < waivers.size(); ++i)
        waivers[i].own_line = located[2 * i].line, waivers[i].line = located[2 * i + 1].line;
    return waivers;
}

/// The waivers in a file beside the document.
inline std::vector<Waiver> waivers_beside(const Source& file) {
    std::vector<Waiver> waivers;
    for (std::size_t begin = 0; begin < file.text.size();) {
        const std::size_t end = std::min(file.text.find('\n', begin), file.text.size());
        const std::string_view line = trimmed(std::string_view(file.text).substr(begin, end - begin));
        const auto offset = static_cast<std::uint32_t>(line.data() - file.text.data());
        begin = end + 1;
        if (line.empty() || line.starts_with('#')) continue;
        Waiver waiver;
        waiver.span = {offset, static_cast<std::uint32_t>(offset + line.size())};
        const std::size_t slash = line.find(" /");
        const std::size_t colon = line.find(": ");
        if (slash != std::string_view::npos && slash < colon) {
            waiver.pointer = trimmed(line.substr(slash + 1, std::min(colon, line.size()) - slash - 1));
            waiver.code = trimmed(line.substr(0, slash));
            if (colon != std::string_view::npos) waiver.reason = trimmed(line.substr(colon + 1));
            waivers.push_back(std::move(waiver));
        } else {
            add_waivers(line, std::move(waiver), waivers);
        }
    }
    return waivers;
}

/// Takes what is waived out of `findings`, located; errors stay.
inline std::vector<Waived> take_waived(Diagnostics& findings, std::vector<Waiver>& waivers) {
    std::vector<Waived> waived;
    std::erase_if(findings, [&](Diagnostic& d) {
        if (d.severity == Severity::error) return false;
        for (Waiver& waiver : waivers) {
            const std::size_t line = d.range.begin.line;
            if (waiver.code != d.code) continue;
            if (waiver.line != 0 && waiver.line != line && waiver.own_line != line) continue;
            if (!waiver.pointer.empty() && waiver.pointer != d.pointer) continue;
            waiver.used = true;
            waived.push_back(
                {std::move(d), waiver.reason.empty() ? "(none given)" : waiver.reason, waiver.own_line != 0});
            return true;
        }
        return false;
    });
    return waived;
}

/// What is to be said about the waivers themselves, located in the text that holds them. `is_code`: whether
/// there is such a code.
inline Diagnostics waiver_problems(std::string_view text, const std::vector<Waiver>& waivers,
                                   bool (*is_code)(std::string_view)) {
    Diagnostics problems;
    for (const Waiver& waiver : waivers) {
        const auto report = [&](std::string code, std::string message, std::string hint) {
            problems.push_back({Severity::warning,
                                std::move(code),
                                waiver.pointer,
                                unlocated(waiver.span),
                                std::move(message),
                                std::move(hint),
                                {}});
        };
        if (!is_code(waiver.code))
            report("unused-waiver", "there is no code \"" + waiver.code + "\" to waive",
                   "dszero rules lists them");
        else if (!waiver.used)
            report("unused-waiver", "there is no finding of " + waiver.code + " here to waive",
                   "remove the waiver");
        else if (waiver.reason.empty())
            report("waiver-without-reason", "the waiver of " + waiver.code + " gives no reason",
                   "write \"" + waiver.code + ": because …\"");
    }
    finish(text, problems);
    return problems;
}

}  // namespace dszero
