// SPDX-License-Identifier: MIT
//
// One thing to say about a document, as data. Printing it is render.hpp's work.
#pragma once

#include <dszero/text/source.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

enum class Severity : unsigned char {
    error,    ///< The DeepSpeed release in question refuses the document for this.
    warning,  ///< It accepts it, or would stop earlier; the user should know all the same.
    note,     ///< Worth knowing.
};

inline const char* to_string(Severity severity) {
    constexpr const char* names[] = {"error", "warning", "note"};
    return names[static_cast<unsigned char>(severity)];
}

/// Text to put in place of a span of the source.
struct Replacement {
    Span span;
    std::string text;
};

struct Diagnostic {
    Severity severity = Severity::error;
    std::string code;     ///< Stable, kebab-case: "unknown-key".
    std::string pointer;  ///< RFC 6901; where DeepSpeed says the problem is. Empty: the text or its root.
    Range range;          ///< The key or value actually written.
    std::string message;  ///< What was found and what was expected.
    std::string hint;     ///< How to mend it; may be empty.
    std::optional<Replacement> replacement;
    bool first = false;  ///< Of all errors, the one that DeepSpeed stops at and names.
};

using Diagnostics = std::vector<Diagnostic>;

/// A Diagnostic's range before line and column are known.
inline Range unlocated(Span span) {
    Range range;
    range.begin.offset = span.begin;
    range.end.offset = span.end;
    return range;
}

/// The range of a Diagnostic that is about no place in the text: its line is 0.
inline Range nowhere() {
    Range range;
    range.begin.line = range.end.line = 0;
    return range;
}

/// Whether there is an error among the diagnostics, from the one at `first` on.
inline bool has_errors(const Diagnostics& diagnostics, std::size_t first = 0) {
    for (std::size_t i = first; i < diagnostics.size(); ++i)
        if (diagnostics[i].severity == Severity::error) return true;
    return false;
}

/// Document order, and line and column for every range that is somewhere.
inline void finish(std::string_view text, Diagnostics& diagnostics) {
    if (diagnostics.empty()) return;
    Offsets order;
    for (const Diagnostic& d : diagnostics) order.push_back(d.range.begin.offset);
    if (order_by_offset(order)) {
        Diagnostics sorted;
        sorted.reserve(diagnostics.size());
        for (const std::uint64_t index : order) sorted.push_back(std::move(diagnostics[index]));
        diagnostics = std::move(sorted);
    }

    SmallVector<Position*, 16> places;
    for (Diagnostic& d : diagnostics)
        if (d.range.begin.line != 0) places.push_back(&d.range.begin), places.push_back(&d.range.end);
    locate(text, places.data(), places.size());
}

/// Thrown by the doors that return a plain value: every problem at once.
/// what() is the same text that `dszero check` prints.
class ConfigError : public std::runtime_error {
public:
    ConfigError(const std::string& rendered, Diagnostics diagnostics)
        : std::runtime_error(rendered), diagnostics_(std::move(diagnostics)) {}

    const Diagnostics& diagnostics() const { return diagnostics_; }

private:
    Diagnostics diagnostics_;
};

}  // namespace dszero
