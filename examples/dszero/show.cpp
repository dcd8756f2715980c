// SPDX-License-Identifier: MIT
//
// dszero show: every field with its value, and where that comes from.
#include "command.hpp"
#include "fields.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/text/write_json.hpp>

#include <string>

namespace dszero::tool {
namespace {

std::string show_text(const Document& document, Style style) {
    Table table;
    for (const ShownField& row : shown_fields(document))
        table.add(std::string(2 * (row.field.depth + 1), ' ') + row.field.name, row);
    return summary(document, style) + "\nzero_optimization\n" + table.str(style);
}

std::string show_json(const Input& input, const Document& document) {
    std::string out = open_json_line(input, document) + ",\"origin\":";
    if (!document.accepted()) return out += "null}\n";
    out += '{';
    for (const ShownField& row : shown_fields(document)) {
        if (out.back() != '{') out += ',';
        append_json_string(out, row.path);
        out.append(":").append(origin_json(row.field));
    }
    return out += "}}\n";
}

}  // namespace

Status show(const Options& options, Output& output) {
    Status status = Status::accepted;
    bool first = true;
    for_each_input(options, output, [&](const Input& input) {
        if (input.problem) {
            status = worse(status, report_unreadable(input, options, output));
            return;
        }
        const Document document = judge(input, options.release);
        if (!document.accepted()) status = worse(status, Status::refused);
        if (options.json) {
            output.write(show_json(input, document));
            return;
        }
        if (!first) output.write("\n");
        first = false;
        if (document.accepted())
            output.write(show_text(document, output.style()));
        else
            report_refused(document, output);
    });
    return status;
}

}  // namespace dszero::tool
