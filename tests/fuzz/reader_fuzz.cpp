// SPDX-License-Identifier: MIT
//
// libFuzzer's way into the text reader: both dialects, every option. Built by hand:
//
//     clang++ -std=c++20 -O1 -g -fsanitize=fuzzer,address,undefined -Iinclude tests/fuzz/reader_fuzz.cpp -o
//     reader_fuzz mkdir -p found && ./reader_fuzz -max_len=4096 found ../shared/json-suite/test_parsing
//
// The first byte chooses the options, the others are the text. Checked: nodes and values
// tell the same story, spans lie in the text and inside one another, refusals have reasons.
#include <dszero/text/reader.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>

namespace {

using Json = nlohmann::ordered_json;

void require(bool condition, const char* what) {
    if (condition) return;
    std::fprintf(stderr, "not so: %s\n", what);
    std::abort();
}

/// The nodes of one value and all below it; returns the index behind them.
std::uint32_t check(const std::string& text, const dszero::Tree& tree, const Json& value, std::uint32_t at) {
    const dszero::Node& node = tree.nodes.at(at);
    require(node.value.begin <= node.value.end && node.value.end <= text.size(),
            "a value's span lies in the text");
    std::uint32_t child = at + 1;
    std::uint32_t behind = node.value.begin;
    const auto check_child = [&](const Json& member) {
        const dszero::Span span = tree.nodes.at(child).value;
        require(behind <= span.begin && span.end <= node.value.end,
                "children follow one another inside their container");
        behind = span.end;
        child = check(text, tree, member, child);
    };
    if (value.is_object()) {
        for (const auto& [key, member] : *value.get_ptr<const Json::object_t*>()) {
            const dszero::Span span = tree.nodes.at(child).key;
            require(behind <= span.begin && span.begin <= span.end &&
                        span.end <= tree.nodes.at(child).value.begin,
                    "a key stands in front of its value");
            const std::string_view written = spelling(text, span);
            if (written.find_first_of("\\'\"") == std::string_view::npos)
                require(written == key, "a bare key is spelled as it is");
            check_child(member);
        }
    } else if (value.is_array()) {
        for (const Json& element : *value.get_ptr<const Json::array_t*>()) {
            require(tree.nodes.at(child).key == dszero::Span{}, "elements have no key");
            check_child(element);
        }
    }
    require(child == node.end, "a node ends behind its last descendant");
    return child;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    dszero::ReadOptions options;
    options.dialect = (data[0] & 1) != 0 ? dszero::Dialect::json : dszero::Dialect::hjson;
    options.repeated_keys_refused = (data[0] & 2) != 0;
    options.line_ends_translated = (data[0] & 4) != 0;
    const dszero::Source source{"<fuzz>", {reinterpret_cast<const char*>(data) + 1, size - 1}};
    dszero::Tree tree;
    dszero::Diagnostics problems;
    const bool ok = dszero::read(source, options, tree, problems);
    require(ok != dszero::has_errors(problems), "a refusal has a reason, and only a refusal");
    for (const dszero::Diagnostic& d : problems) {
        require(d.range.begin.offset <= d.range.end.offset && d.range.end.offset <= source.text.size(),
                "a problem lies in the text");
        require(!d.message.empty() && !d.code.empty(), "a problem says what it is");
    }
    dszero::finish(source.text, problems);
    if (ok)
        require(check(source.text, tree, tree.value, 0) == tree.nodes.size(),
                "every node belongs to a value");
    return 0;
}
