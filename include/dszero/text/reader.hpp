// SPDX-License-Identifier: MIT
//
// Text -> Tree, in the two dialects that matter: what DeepSpeed reads its
// ds_config.json with, and what came before and beside it.
// Same verdict and same value as those readers, in linear time, never a crash;
// and where they say no, a Diagnostic says where and why.
#pragma once

#include <dszero/text/diagnostic.hpp>
#include <dszero/text/dialect.hpp>
#include <dszero/text/hjson_reader.hpp>
#include <dszero/text/json_reader.hpp>
#include <dszero/text/mend.hpp>
#include <dszero/text/scanner.hpp>
#include <dszero/text/source.hpp>
#include <dszero/text/tree.hpp>
#include <dszero/text/tree_builder.hpp>
#include <dszero/text/unicode.hpp>

#include <cstddef>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

struct ReadOptions {
    Dialect dialect = Dialect::hjson;
    /// As DeepSpeed does with files. Otherwise (base64, Accelerate) the last one wins, with a warning.
    bool repeated_keys_refused = true;
    /// Python's text files: CR LF and lone CR count as LF. Not so for documents in base64.
    bool line_ends_translated = true;
};

/// Reads a whole text.
///
///     dszero::Source source{"ds_config.json", "{\"a\": 1, \"b\": True}"};
///     dszero::Tree tree;
///     dszero::Diagnostics problems;
///     if (!dszero::read(source, {}, tree, problems)) …   // at 1:15; hint: write true
///
/// Appends what is to be said, with ranges that are still to be located (finish()).
/// False where the Python reader could not have read the text. If repeated keys are the
/// only reason, the tree is filled all the same (the last one wins), so that the rest of
/// the document can be checked; otherwise the tree is left alone.
[[nodiscard]] inline bool read(const Source& source, const ReadOptions& options, Tree& tree,
                               Diagnostics& problems);

// ---- the parts

/// Python decodes strictly, and before anything else.
inline void report_invalid_utf8(std::string_view text, std::size_t place, Diagnostics& problems) {
    Diagnostic problem;
    problem.code = "invalid-utf8";
    problem.range = unlocated({static_cast<std::uint32_t>(place), static_cast<std::uint32_t>(place + 1)});
    constexpr const char* hexadecimal = "0123456789ABCDEF";
    const auto byte = static_cast<unsigned char>(text[place]);
    problem.message = std::string("the byte 0x") + hexadecimal[byte >> 4] + hexadecimal[byte & 15] +
                      " is not valid UTF-8 here";
    const std::string_view start = text.substr(0, 2);
    problem.hint = start == "\xFF\xFE" || start == "\xFE\xFF" ? "the text looks like UTF-16: save it as UTF-8"
                                                              : "save the text as UTF-8";
    problems.push_back(std::move(problem));
}

/// One diagnostic for each key that its object had already.
inline void report_repeated_keys(std::string_view text, const Repetitions& repetitions, bool refused,
                                 Diagnostics& problems) {
    if (repetitions.empty()) return;
    Offsets order;
    for (const Repetition& repetition : repetitions) order.push_back(repetition.first.begin);
    order_by_offset(order);
    Position first;
    for (const std::uint64_t i : order) {
        advance(first, text, repetitions[i].first.begin);
        Diagnostic problem;
        problem.severity = refused ? Severity::error : Severity::warning;
        problem.code = "duplicate-key";
        problem.range = unlocated(repetitions[i].again);
        problem.message = "the key " + shortened(spelling(text, repetitions[i].again)) +
                          " stands in this object already, on line " + std::to_string(first.line) +
                          (refused ? "" : "; the last one counts");
        problem.hint = "keep one of them";
        problems.push_back(std::move(problem));
    }
}

inline bool read(const Source& source, const ReadOptions& options, Tree& tree, Diagnostics& problems) {
    const std::string_view text = source.text;
    if (text.size() >= std::numeric_limits<std::uint32_t>::max()) {
        Diagnostic problem;
        problem.code = "too-large";
        problem.message = "the text has 4 GiB or more, too much for a configuration";
        problems.push_back(std::move(problem));
        return false;
    }
    if (const std::size_t place = find_invalid_utf8(text); place != std::string_view::npos) {
        report_invalid_utf8(text, place, problems);
        return false;
    }
    Scanner scanner(text);
    TreeBuilder builder(text.size(), options.repeated_keys_refused);
    const bool complete = options.dialect == Dialect::json
                              ? JsonReader(scanner, builder).read()
                              : HjsonReader(scanner, builder, options.line_ends_translated).read();
    report_repeated_keys(text, builder.repetitions(), options.repeated_keys_refused, problems);
    if (!scanner.problem.code.empty()) problems.push_back(std::move(scanner.problem));
    if (complete) builder.finish(tree);
    tree.beyond_json = scanner.beyond_json;
    return complete && !builder.refuses_repeated_keys();
}

}  // namespace dszero
