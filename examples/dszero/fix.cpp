// SPDX-License-Identifier: MIT
//
// dszero fix: mends a configuration by the smallest edits. The changes go to standard
// output as a diff, what is said about them to standard error.
#include "command.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/config/effective.hpp>
#include <dszero/lint/fix.hpp>
#include <dszero/text/snippet.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace dszero::tool {
namespace {

/// "8:5: unknown key "overlap_com"; did you mean "overlap_comm"?"
std::string say(const Repair& repair) {
    std::string line = std::to_string(repair.why.range.begin.line) + ':' +
                       std::to_string(repair.why.range.begin.column) + ": ";
    append_visible(line, repair.why.message);
    if (!repair.why.hint.empty()) append_visible(line += "; ", repair.why.hint);
    return line + '\n';
}

/// What DeepSpeed reads otherwise after repairs that are not safe.
std::string changed_values(const Document& before, const Document& after) {
    if (!before.accepted()) return {};  // it read nothing
    if (!after.accepted()) return "  DeepSpeed now refuses it\n";
    std::map<std::string, std::string> old_values;
    for (const EffectiveField& field : effective_fields(before)) old_values[field.path] = field.shown;
    std::string out;
    for (const EffectiveField& field : effective_fields(after)) {
        const std::string& old_value = old_values[field.path];
        const bool was_moved = old_value.empty() || field.shown.empty();  // a deprecated key: safe
        if (!was_moved && old_value != field.shown)
            out += "  " + field.path + ": " + old_value + " becomes " + field.shown + '\n';
    }
    return out;
}

std::string list(std::string_view heading, const std::vector<Repair>& repairs) {
    if (repairs.empty()) return {};
    std::string out = std::string(heading) + '\n';
    for (const Repair& repair : repairs) out += "  " + say(repair);
    return out;
}

Status fix_one(const Input& input, const Options& options, Output& output) {
    const LoadOptions load = load_options(input, options.release, options);
    const Document before = parse(input.text, load);
    if (skips(input, before, output)) return Status::accepted;
    const Fixed fixed = dszero::fix(input.text, load, options.unsafe ? FixScope::unsafe : FixScope::safe);
    show_change(input, fixed.text, options, output);

    const Document after = parse(fixed.text, load);
    std::string name;
    append_visible(name, input.name);
    std::string said = list(name + (options.write ? ": mended" : ": can be mended"), fixed.done);
    if (options.unsafe) said += changed_values(before, after);
    said += list(name + ": --unsafe would mend", fixed.left);
    if (said.empty()) said = name + ": nothing to mend\n";
    output.write_error(said + summary(after, after.diagnostics, output.error_style()) + '\n');
    return after.accepted() ? Status::accepted : Status::refused;
}

}  // namespace

Status fix(const Options& options, Output& output) {
    return for_each_document(options, output,
                             [&](const Input& input) { return fix_one(input, options, output); });
}

}  // namespace dszero::tool
