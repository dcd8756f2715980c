// SPDX-License-Identifier: MIT
//
// dszero show: every field with its value, and where that comes from.
#include "command.hpp"
#include "fields.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/text/write_json.hpp>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero::tool {
namespace {

void add_rows(Table& table, const std::vector<ShownField>& rows) {
    for (const ShownField& row : rows)
        table.add(std::string(2 * (row.field.depth + 1), ' ') + row.field.name, row);
}

/// Of sections that the file does not have, one line.
std::vector<ShownField> without_absent_sections(std::vector<ShownField> rows) {
    bool absent = false;
    std::erase_if(rows, [&](const ShownField& row) {
        if (row.field.depth > 0) return absent;
        absent = row.field.is_section && row.field.origin != OriginKind::file;
        return false;
    });
    return rows;
}

std::string show_text(const Document& document, Style style) {
    Table zero, rest;
    add_rows(zero, shown_fields(document));
    add_rows(rest, without_absent_sections(shown_document_fields(document)));
    return summary(document, style) + "\nzero_optimization\n" + zero.str(style) +
           "the rest of the document\n" + rest.str(style);
}

void append_origins(std::string& out, const std::vector<ShownField>& rows) {
    out += '{';
    for (const ShownField& row : rows) {
        if (out.back() != '{') out += ',';
        append_json_string(out, row.path);
        out.append(":").append(origin_json(row.field));
    }
    out += '}';
}

constexpr std::string_view no_origins = ",\"origin\":null,\"document_origin\":null";

std::string show_json(const Input& input, const Document& document) {
    std::string out = open_json_line(input, document);
    if (!document.accepted()) return out.append(no_origins) += "}\n";
    out += ",\"origin\":";
    append_origins(out, shown_fields(document));
    out += ",\"document_origin\":";
    append_origins(out, shown_document_fields(document));
    return out += "}\n";
}

}  // namespace

Status show(const Options& options, Output& output) {
    Status status = Status::accepted;
    bool first = true;
    for_each_input(options, output, [&](const Input& input) {
        if (input.problem) {
            status = worse(status, report_unreadable(input, options, output, no_origins));
            return;
        }
        const Document document = judge(input, options.release, options);
        if (skips(input, document, output)) return;
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
