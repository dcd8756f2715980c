// SPDX-License-Identifier: MIT
//
// dszero_read: asks the text reader from a shell, for comparison with Python's readers.
// {"id", "text"} lines on standard input; one line each in return,
// {"id", "ok": true, "value"} or {"id", "ok": false, "line", "column", "message"}.
// Integers come with all their digits; a float always has a point or an exponent.
#include <dszero/text/reader.hpp>
#include <dszero/text/write_json.hpp>

#include <cstdio>
#include <string>
#include <string_view>

namespace {

using dszero::ReadOptions;
using Json = nlohmann::ordered_json;

/// Writes the value at nodes[at]; `at` is then past it.
void append_exactly(std::string& out, std::string_view text, const dszero::Tree& tree, const Json& value,
                    std::size_t& at) {
    const std::string_view spelled = spelling(text, tree.nodes[at].value);
    ++at;
    if (value.is_object()) {
        out += '{';
        for (const auto& [key, member] : *value.get_ptr<const Json::object_t*>()) {
            if (out.back() != '{') out += ',';
            dszero::append_json_string(out, key);
            out += ':';
            append_exactly(out, text, tree, member, at);
        }
        out += '}';
    } else if (value.is_array()) {
        out += '[';
        for (const Json& element : *value.get_ptr<const Json::array_t*>()) {
            if (out.back() != '[') out += ',';
            append_exactly(out, text, tree, element, at);
        }
        out += ']';
    } else if (dszero::is_big_integer(value, spelled)) {
        out += dszero::ascii_digits(spelled);
    } else {
        dszero::append_json(out, value);
    }
}

std::string answer(const std::string& line, const ReadOptions& options) {
    const dszero::Source request{"<stdin>", line};
    dszero::Tree fields;
    dszero::Diagnostics problems;
    if (!dszero::read(request, {dszero::Dialect::json, false, false}, fields, problems) ||
        !fields.value.is_object() || !fields.value.contains("text") || !fields.value["text"].is_string())
        return "{\"ok\":false,\"message\":\"not a request\"}";

    std::string out = "{\"id\":";
    std::size_t at = 1;
    for (const auto& [key, member] : *fields.value.get_ptr<const Json::object_t*>()) {
        if (key == "id")
            append_exactly(out, line, fields, member, at);
        else
            at = fields.nodes[at].end;
    }
    if (out.back() == ':') out += "null";

    const dszero::Source document{"<text>", *fields.value["text"].get_ptr<const std::string*>()};
    dszero::Tree tree;
    problems.clear();
    const bool ok = dszero::read(document, options, tree, problems);
    out += ok ? ",\"ok\":true" : ",\"ok\":false";
    if (ok) {
        out += ",\"value\":";
        std::size_t root = 0;
        append_exactly(out, document.text, tree, tree.value, root);
    } else {
        dszero::finish(document.text, problems);
        const dszero::Diagnostic& problem = problems.front();
        out += ",\"line\":" + std::to_string(problem.range.begin.line);
        out += ",\"column\":" + std::to_string(problem.range.begin.column);
        out += ",\"code\":";
        dszero::append_json_string(out, problem.code);
        out += ",\"message\":";
        dszero::append_json_string(out, problem.message);
        out += ",\"hint\":";
        dszero::append_json_string(out, problem.hint);
    }
    out += '}';
    return out;
}

bool read_line(std::string& line) {
    line.clear();
    char block[1 << 16];
    while (std::fgets(block, sizeof block, stdin) != nullptr) {
        line += block;
        if (line.back() == '\n') break;
    }
    return !line.empty();
}

}  // namespace

int main(int argument_count, char** arguments) {
    ReadOptions options;
    for (int i = 1; i < argument_count; ++i) {
        const std::string_view argument = arguments[i];
        const std::string_view value = i + 1 < argument_count ? arguments[i + 1] : "";
        if (argument == "--dialect" && (value == "hjson" || value == "json")) {
            options.dialect = value == "json" ? dszero::Dialect::json : dszero::Dialect::hjson;
            ++i;
        } else if (argument == "--last-key-wins") {
            options.repeated_keys_refused = false;
        } else if (argument == "--keep-line-ends") {
            options.line_ends_translated = false;
        } else {
            std::fputs(
                "usage: dszero_read [--dialect hjson|json] [--last-key-wins] [--keep-line-ends] < LINES\n",
                stderr);
            return 2;
        }
    }
    std::string line;
    while (read_line(line)) {
        const std::string out = answer(line, options) + "\n";
        std::fwrite(out.data(), 1, out.size(), stdout);
    }
}
