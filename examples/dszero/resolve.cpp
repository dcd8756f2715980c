// SPDX-License-Identifier: MIT
//
// dszero resolve: replaces "auto" by what Hugging Face's Trainer would write. The changes
// go to standard output as a diff, what is said about them to standard error.
#include "command.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/lint/resolve.hpp>
#include <dszero/text/snippet.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace dszero::tool {
namespace {

std::string list(std::string_view heading, const std::vector<std::string>& lines) {
    if (lines.empty()) return {};
    std::string out;
    append_visible(out, heading);
    out += '\n';
    for (const std::string& line : lines) {
        append_visible(out += "  ", line);
        out += '\n';
    }
    return out;
}

Status resolve_one(const Input& input, const Options& options, Output& output) {
    const Document document = judge(input, options.release, options);
    if (skips(input, document, output)) return Status::accepted;
    const Resolved resolved = dszero::resolve(document, options.facts);
    if (resolved.complete()) show_change(input, resolved.text, options, output);
    output.write_error(list(input.name + ": filled in", resolved.filled) +
                       list(input.name + ": the Trainer leaves \"auto\" at", resolved.left) +
                       list(input.name + ": the Trainer would stop; nothing is changed", resolved.problems));
    return resolved.complete() ? Status::accepted : Status::refused;
}

}  // namespace

Status resolve(const Options& options, Output& output) {
    return for_each_document(options, output,
                             [&](const Input& input) { return resolve_one(input, options, output); });
}

}  // namespace dszero::tool
