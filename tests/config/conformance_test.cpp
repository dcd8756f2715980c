// SPDX-License-Identifier: MIT
//
// The zero section against what the real DeepSpeed answered, release by release:
// verdict, value, warnings, and where it says the errors are.
#include <dszero/config/document.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/text/base64.hpp>

#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <cmath>
#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace dszero;
using test::Recorded;

namespace {

/// Equal to what was recorded; an integer beyond 64 bits is saturated here.
bool equal(const Json& ours, const Recorded& theirs) {
    if (ours.is_number_float()) {
        const double real = *ours.get_ptr<const double*>();
        if (const Recorded word = theirs["float"])
            return std::isnan(real) ? word.text() == "nan" : word.text() == (real > 0 ? "inf" : "-inf");
        return theirs.value->is_number_float() && real == *theirs.value->get_ptr<const double*>();
    }
    if (ours.is_number()) {
        if (!theirs.value->is_number()) return false;
        const PythonNumber expected = python_number(*theirs.value, theirs.spelled());
        return expected.is_integer && python_number(ours, {}).integer == expected.integer;
    }
    if (ours.type() != theirs.value->type() || ours.size() != theirs.value->size()) return false;
    if (ours.is_object()) {
        for (const auto& [key, member] : *ours.get_ptr<const Json::object_t*>())
            if (const Recorded other = theirs[key]; !other || !equal(member, other)) return false;
        return true;
    }
    if (ours.is_array()) {
        std::uint32_t child = theirs.node + 1;
        for (std::size_t i = 0; i < ours.size(); ++i) {
            if (!equal(ours[i], {theirs.source, theirs.tree, &(*theirs.value)[i], child})) return false;
            child = theirs.tree->nodes[child].end;
        }
        return true;
    }
    return ours == *theirs.value;
}

template <class Use>
void for_each_element(const Recorded& array, Use&& use) {
    if (!array) return;
    std::uint32_t child = array.node + 1;
    for (const Json& element : *array.value) {
        use(Recorded{array.source, array.tree, &element, child});
        child = array.tree->nodes[child].end;
    }
}

/// pydantic's location of an error as a pointer into the document.
std::string pointer_of(const std::string& stage, const Recorded& error) {
    if (stage == "read") return {};
    std::vector<std::string> steps;
    for_each_element(error["loc"], [&](const Recorded& step) {
        steps.push_back(step.value->is_string() ? step.text() : std::string(step.spelled()));
    });
    if (stage == "type") return steps.empty() ? "" : "/zero_optimization";
    if (steps.size() == 3 && steps[0] == "zenflow" && (steps[2] == "str" || steps[2] == "int"))
        steps.pop_back();
    std::string pointer = "/zero_optimization";
    for (const std::string& step : steps) {
        const Path at{.key = step};
        pointer += at.pointer();
    }
    return pointer;
}

struct Expected {
    bool accepted = false;
    std::set<std::string> pointers, warnings;
};

Expected expected_of(const Recorded& answer, const std::string& stage) {
    Expected expected;
    expected.accepted = !answer["errors"];
    for_each_element(answer["errors"],
                     [&](const Recorded& e) { expected.pointers.insert(pointer_of(stage, e)); });
    for_each_element(answer["warnings"], [&](const Recorded& w) { expected.warnings.insert(w.text()); });
    return expected;
}

Document judged(const Recorded& line, Release release) {
    LoadOptions options;
    options.release = release;
    options.scope = Scope::zero_section;
    if (line["text"]) return parse(line["text"].text(), options);
    if (line["b64"]) return parse(*decode_base64(line["b64"].text()), options);
    return load((test::shared() / "corpus" / line["file"].text()).string(), options);
}

/// Everything but the value; empty if all is as expected.
std::string difference(const Document& document, const Expected& expected) {
    if (document.accepted() != expected.accepted) return "verdict";
    const std::set<std::string> warnings(document.warnings.begin(), document.warnings.end());
    if (warnings != expected.warnings) return "warnings";
    std::set<std::string> pointers;
    for (const Diagnostic& d : document.diagnostics)
        if (d.severity == Severity::error) pointers.insert(d.pointer);
    return pointers == expected.pointers ? "" : "pointers";
}

Json attributes(const Document& document) {
    return write_section(section<DeepSpeedZeroConfig>, &document.config->zero_config,
                         {document.release, true});
}

/// An accepted answer is kept as what differs from the release's defaults (tests/data/README.md).
bool equal_compacted(const Json& ours, const Recorded& answer, const Recorded& defaults) {
    std::set<std::string> gone;
    for_each_element(answer["gone"], [&](const Recorded& name) { gone.insert(name.text()); });
    const Recorded set = answer["set"];
    std::size_t names = 0;
    for (const auto& [key, member] : *ours.get_ptr<const Json::object_t*>()) {
        const Recorded changed = set[key];
        const Recorded preset = defaults[""][key];
        if (gone.count(key) != 0 || (!changed && !preset)) return false;
        ++names;
        const Recorded inner = defaults[key];
        if (!changed || !changed.value->is_object() || !inner) {
            if (!equal(member, changed ? changed : preset)) return false;
            continue;
        }
        if (!member.is_object() || member.size() != inner.value->size()) return false;
        for (const auto& [name, value] : *member.get_ptr<const Json::object_t*>())
            if (!equal(value, changed[name] ? changed[name] : inner[name])) return false;
    }
    return names + gone.size() == defaults[""].value->size();
}

void compare_compacted(const std::filesystem::path& file, std::size_t at_least) {
    std::string first_line;
    test::for_each_line(file, [&](const std::string& line) {
        if (first_line.empty()) first_line = line;
    });
    const Source head{"head", first_line};
    Tree head_tree;
    Diagnostics problems;
    REQUIRE(read(head, {.dialect = Dialect::json}, head_tree, problems));
    const Recorded header{&head, &head_tree, &head_tree.value, 0};

    std::size_t compared = 0;
    std::vector<std::string> different;
    test::for_each_record(file, [&](const Recorded& line) {
        if (!line["answers"]) return;
        Recorded answer;
        for_each_element(header["releases"], [&](const Recorded& name) {
            const std::string release = name.text();
            if (line["only"] && line["only"].text() != release) return;
            if (const Recorded own = line["answers"][release]) answer = own;
            const std::string stage = answer["stage"] ? answer["stage"].text() : "";
            const Document document = judged(line, *Release::parse(release));
            std::string why = difference(document, expected_of(answer, stage));
            if (why.empty() && document.accepted() &&
                !equal_compacted(attributes(document), answer, header["defaults"][release]))
                why = "value";
            ++compared;
            if (!why.empty()) different.push_back(release + ' ' + line["id"].text() + ": " + why);
        });
    });
    CHECK(compared >= at_least);
    if (different.size() > 20) different.resize(20);
    CHECK(different == std::vector<std::string>());
}

}  // namespace

TEST_CASE("conformance: nine recorded releases, verdict, value, warnings and places of errors") {
    compare_compacted(test::data() / "zero.jsonl.gz", 120'000);
}

TEST_CASE("conformance: 39 more releases, on both sides of every change") {
    compare_compacted(test::data() / "zero-more.jsonl.gz", 60'000);
}

TEST_CASE("conformance: real configurations, nine releases") {
    const std::filesystem::path folder = test::shared() / "conformance";
    if (!std::filesystem::exists(folder)) {
        WARN(folder.string() + " is not there: nothing compared");
        return;
    }
    for (const char* release :
         {"0.9.5", "0.10.3", "0.12.6", "0.14.5", "0.15.4", "0.16.9", "0.17.6", "0.18.9", "0.19.8"}) {
        std::size_t compared = 0;
        std::vector<std::string> different;
        test::for_each_record(
            folder / ("zero-" + std::string(release) + ".jsonl.gz"), [&](const Recorded& line) {
                if (!line["file"]) return;
                ++compared;
                const Document document = judged(line, *Release::parse(release));
                const std::string stage = line["stage_of_failure"] ? line["stage_of_failure"].text() : "";
                std::string why = difference(document, expected_of(line, stage));
                if (why.empty() && document.accepted() && !equal(attributes(document), line["value"]))
                    why = "value";
                if (!why.empty()) different.push_back(line["file"].text() + ": " + why);
            });
        INFO(release);
        CHECK(compared == 652);
        CHECK(different == std::vector<std::string>());
    }
}
