// SPDX-License-Identifier: MIT
#include <dszero/text/annotations.hpp>
#include <dszero/text/sarif.hpp>

#include "support/catch.hpp"

#include <nlohmann/json.hpp>

#include <string>

using dszero::Diagnostics;
using dszero::Severity;
using dszero::Source;

namespace {

const Source source{"configs/two words.json", "{\n  \"a\": 1, # \xC3\xA4\n  \"stge\": 100%\n}"};

/// One about "stge", with all that a diagnostic can have.
Diagnostics about_stage() {
    const std::size_t begin = source.text.find("\"stge\"");
    const dszero::Span span{static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + 6)};
    Diagnostics all{{Severity::warning, "unknown-key", "/stge", dszero::unlocated(span),
                     "unknown key, 100% sure: \"stge\"", "did you mean \"stage\"?",
                     dszero::Replacement{span, "\"stage\""}}};
    dszero::finish(source.text, all);
    return all;
}

}  // namespace

TEST_CASE("SarifLog: a result has its rule, level, place and fix") {
    dszero::SarifLog log("tool", "1.2.3");
    log.add(source, about_stage());
    const dszero::SarifRule rules[] = {{"unknown-key", "A title.", "A text.", Severity::error},
                                       {"not-found", "Another.", "More.", Severity::note}};
    const auto run = nlohmann::json::parse(log.str(rules))["runs"][0];
    CHECK(run["tool"]["driver"]["name"] == "tool");
    CHECK(run["columnKind"] == "unicodeCodePoints");
    REQUIRE(run["tool"]["driver"]["rules"].size() == 1);
    CHECK(run["tool"]["driver"]["rules"][0]["shortDescription"]["text"] == "A title.");
    REQUIRE(run["results"].size() == 1);
    const auto& result = run["results"][0];
    CHECK(result["ruleId"] == "unknown-key");
    CHECK(result["level"] == "warning");
    const auto& place = result["locations"][0]["physicalLocation"];
    CHECK(place["artifactLocation"]["uri"] == "configs/two%20words.json");
    CHECK(place["region"]["startLine"] == 3);
    CHECK(place["region"]["startColumn"] == 3);
    CHECK(place["region"]["endColumn"] == 9);
    CHECK(result["fixes"][0]["artifactChanges"][0]["replacements"][0]["insertedContent"]["text"] ==
          "\"stage\"");
    CHECK_FALSE(result.contains("suppressions"));
}

TEST_CASE("SarifLog: what was waived is there, suppressed, with the reason") {
    dszero::SarifLog log("tool", "1");
    log.add_waived(source, about_stage()[0], "on purpose", true);
    log.add_waived(source, about_stage()[0], "in a file of its own", false);
    const auto results = nlohmann::json::parse(log.str({}))["runs"][0]["results"];
    CHECK(results[0]["suppressions"][0]["justification"] == "on purpose");
    CHECK(results[0]["suppressions"][0]["kind"] == "inSource");
    CHECK(results[1]["suppressions"][0]["kind"] == "external");
}

TEST_CASE("SarifLog: a diagnostic without a place names its file alone") {
    Diagnostics nowhere{{Severity::error, "file-not-found", {}, dszero::nowhere(), "file not found", {}, {}}};
    dszero::SarifLog log("tool", "1");
    log.add({"/tmp/x", {}}, nowhere);
    const auto place = nlohmann::json::parse(log.str({}))["runs"][0]["results"][0]["locations"][0];
    CHECK(place["physicalLocation"]["artifactLocation"]["uri"] == "file:///tmp/x");
    CHECK_FALSE(place["physicalLocation"].contains("region"));
}

TEST_CASE("render_annotations: a workflow command, with what would end it escaped") {
    CHECK(dszero::render_annotations(source, about_stage()) ==
          "::warning file=configs/two words.json,line=3,col=3,endLine=3,endColumn=9,title=unknown-key::"
          "unknown key, 100%25 sure: \"stge\"%0Ahint: did you mean \"stage\"?\n");
}

TEST_CASE("render_annotations: a name cannot smuggle in a command") {
    const Source hostile{"a,line=1::b\n::error::c", {}};
    Diagnostics all{{Severity::error, "x", {}, dszero::nowhere(), "m\n::error::gone", {}, {}}};
    CHECK(dszero::render_annotations(hostile, all) ==
          "::error file=a%2Cline=1%3A%3Ab\\x0a%3A%3Aerror%3A%3Ac,title=x::m\\x0a::error::gone\n");
}
