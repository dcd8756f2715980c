// SPDX-License-Identifier: MIT
//
// dszero diff: what differs between two effective configurations.
#include "command.hpp"
#include "fields.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/text/snippet.hpp>
#include <dszero/text/write_json.hpp>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace dszero::tool {
namespace {

/// A field that differs; one side may lack it.
struct Difference {
    const ShownField* a;
    const ShownField* b;

    const std::string& path() const { return a ? a->path : b->path; }
};

/// The rest of the document first; a field of zero_optimization goes by its path in there.
std::vector<ShownField> all_fields(const Document& document) {
    std::vector<ShownField> fields = shown_document_fields(document), zero = shown_fields(document);
    std::move(zero.begin(), zero.end(), std::back_inserter(fields));
    return fields;
}

bool differs(const EffectiveField& a, const EffectiveField& b) {
    return a.is_section ? a.value.is_null() != b.value.is_null() : a.value != b.value;
}

/// Both lists are in the order of the rows, so they can be merged.
std::vector<Difference> differences(const std::vector<ShownField>& a, const std::vector<ShownField>& b) {
    std::vector<Difference> result;
    const auto has = [](const std::vector<ShownField>& fields, const std::string& path) {
        return std::any_of(fields.begin(), fields.end(), [&](const ShownField& f) { return f.path == path; });
    };
    auto in_a = a.begin();
    auto in_b = b.begin();
    while (in_a != a.end() || in_b != b.end()) {
        if (in_b == b.end() || (in_a != a.end() && !has(b, in_a->path))) {
            result.push_back({&*in_a++, nullptr});
        } else if (in_a == a.end() || in_a->path != in_b->path) {
            result.push_back({nullptr, &*in_b++});
        } else {
            if (differs(in_a->field, in_b->field)) result.push_back({&*in_a, &*in_b});
            ++in_a, ++in_b;
        }
    }
    return result;
}

std::string diff_text(const std::vector<Difference>& found, const Document& a, const Document& b,
                      Style style) {
    std::string out;
    const auto append_name = [&](std::string_view sign, const Document& document) {
        out += sign;
        append_visible(out, document.source.name);
        out += '\n';
    };
    if (found.empty()) {
        out = "No difference: DeepSpeed " + a.release.str() + " makes the same of ";
        append_visible(out, a.source.name);
        append_name(" and ", b);
        return out;
    }
    append_name("--- ", a);
    append_name("+++ ", b);
    Table table;
    for (const Difference& d : found) {
        if (d.a) table.add("- " + d.path(), *d.a, "\x1b[31m");
        if (d.b) table.add("+ " + d.path(), *d.b, "\x1b[32m");
    }
    return out += table.str(style);
}

/// {"a", "b", "release", "differences": [{"field", "a": {"value", "origin"} or null, "b": likewise}]}
std::string diff_json(const std::vector<Difference>& found, const Input& a, const Input& b, Release release) {
    std::string out =
        "{\"a\":" + a.file + ",\"b\":" + b.file + ",\"release\":\"" + release.str() + "\",\"differences\":[";
    const auto append_side = [&](std::string_view key, const ShownField* side) {
        out += key;
        if (!side) {
            out += "null";
            return;
        }
        out += "{\"value\":";
        append_json(out, side->field.value);
        out.append(",\"origin\":").append(origin_json(side->field)).append("}");
    };
    for (const Difference& d : found) {
        out += out.back() == '[' ? "{\"field\":" : ",{\"field\":";
        append_json_string(out, d.path());
        append_side(",\"a\":", d.a);
        append_side(",\"b\":", d.b);
        out += '}';
    }
    return out += "]}\n";
}

}  // namespace

Status diff(const Options& options, Output& output) {
    Status status = Status::accepted;
    std::vector<Input> inputs;
    std::vector<Document> documents;
    for (const std::string& file : options.files) {
        inputs.push_back(read_input(file));
        const Input& input = inputs.back();
        if (input.problem) {
            status = worse(status, report_unreadable(input, options, output));
            continue;
        }
        documents.push_back(judge(input, options.release, options));
        if (documents.back().accepted()) continue;
        status = worse(status, Status::refused);
        if (options.json)
            output.write(open_json_line(input, documents.back()) + "}\n");
        else
            report_refused(documents.back(), output);
    }
    if (status != Status::accepted) return status;

    const std::vector<ShownField> a = all_fields(documents[0]), b = all_fields(documents[1]);
    const std::vector<Difference> found = differences(a, b);
    output.write(options.json ? diff_json(found, inputs[0], inputs[1], documents[0].release)
                              : diff_text(found, documents[0], documents[1], output.style()));
    return status;
}

}  // namespace dszero::tool
