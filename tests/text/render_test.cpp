// SPDX-License-Identifier: MIT
#include <dszero/text/render.hpp>
#include <dszero/text/snippet.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <ctime>
#include <iterator>
#include <random>
#include <string>
#include <string_view>

using dszero::Diagnostic;
using dszero::Diagnostics;
using dszero::Severity;
using dszero::Style;

namespace {

/// A located diagnostic on the bytes from `begin` to `end`.
Diagnostics about(std::string_view text, std::size_t begin, std::size_t end) {
    Diagnostic d;
    d.code = "code";
    d.message = "message";
    d.range = dszero::unlocated({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)});
    Diagnostics all{d};
    dszero::finish(text, all);
    return all;
}

std::string rendered(std::string_view text, std::size_t begin, std::size_t end) {
    return dszero::render_text({"f", std::string(text)}, about(text, begin, end));
}

/// On the first occurrence of `part`.
std::string rendered(std::string_view text, std::string_view part) {
    const std::size_t begin = text.find(part);
    REQUIRE(begin != std::string_view::npos);
    return rendered(text, begin, begin + part.size());
}

}  // namespace

TEST_CASE("render_text: place, severity, message, code; the line, a caret; the hint") {
    const std::string text = "{\n\"zero_optimization\": {\n  \"reduce_bucket_size\": -1,\n}}";
    Diagnostics all = about(text, text.find("-1"), text.find("-1") + 2);
    all[0].message = "reduce_bucket_size must be greater than 0, got -1";
    all[0].code = "out-of-bounds";
    all[0].hint = "leave it out for 500,000,000";
    CHECK(dszero::render_text({"ds_config.json", text}, all) ==
          "ds_config.json:3:25: error: reduce_bucket_size must be greater than 0, got -1 [out-of-bounds]\n"
          "  \"reduce_bucket_size\": -1,\n"
          "                        ^~\n"
          "  hint: leave it out for 500,000,000\n");
}

TEST_CASE("render_text: without a hint there is no line for it") {
    CHECK(rendered("{a: 1}", "a") == "f:1:2: error: message [code]\n  {a: 1}\n   ^\n");
}

TEST_CASE("render_text: nothing to say, nothing said") {
    CHECK(dszero::render_text({"f", "{}"}, {}).empty());
}

TEST_CASE("render_text: indentation is dropped, tabs become blanks") {
    CHECK(rendered("{\n\t\t\"a\":\t1\n}", "1") ==
          "f:2:8: error: message [code]\n  \"a\":    1\n          ^\n");
    CHECK(rendered("{\n    a: 1\n}", "a") == "f:2:5: error: message [code]\n  a: 1\n  ^\n");
}

TEST_CASE("render_text: a range inside the indentation keeps what it marks") {
    CHECK(rendered("    a", 2, 4) == "f:1:3: error: message [code]\n    a\n  ^~\n");
}

TEST_CASE("render_text: wide characters take two columns, combining ones none") {
    CHECK(rendered("名前: 值", "值") == "f:1:5: error: message [code]\n  名前: 值\n        ^~\n");
    CHECK(rendered("e\u0301: 1", "1") == "f:1:5: error: message [code]\n  e\u0301: 1\n     ^\n");
    CHECK(rendered("\U0001F600: 1", "1") == "f:1:4: error: message [code]\n  \U0001F600: 1\n      ^\n");
    CHECK(rendered("\u00e4: 1", "1") == "f:1:4: error: message [code]\n  \u00e4: 1\n     ^\n");
}

TEST_CASE("render_text: a range over several lines is marked to the end of the first") {
    CHECK(rendered("a: {\nb: 1\n}", "{\nb: 1\n}") == "f:1:4: error: message [code]\n  a: {\n     ^\n");
    CHECK(rendered("aa [\r\n1]", "aa [\r\n1]") == "f:1:1: error: message [code]\n  aa [\n  ^~~~\n");
}

TEST_CASE("render_text: every way to end a line ends it") {
    for (const std::string end : {"\n", "\r\n", "\r"}) {
        CHECK(rendered("a: 1" + end + "b: 2" + end, "2") == "f:2:4: error: message [code]\n  b: 2\n     ^\n");
        CHECK(rendered("a: 1" + end + "b: 2" + end, "1") == "f:1:4: error: message [code]\n  a: 1\n     ^\n");
        CHECK(rendered("a: 1" + end + "b: 2", 4, 4) == "f:1:5: error: message [code]\n  a: 1\n      ^\n");
    }
    CHECK(rendered("a: 1\r\nb", 5, 6).ends_with("\n  a: 1\n      ^\n"));  // the second half of CR LF
}

TEST_CASE("render_text: the end of the text can be pointed at") {
    CHECK(rendered("{a: 1", 5, 5) == "f:1:6: error: message [code]\n  {a: 1\n       ^\n");
    CHECK(rendered("{a: 1", 500, 600).ends_with("\n  {a: 1\n       ^\n"));
}

TEST_CASE("render_text: a line that shows nothing is left out") {
    CHECK(rendered("", 0, 0) == "f:1:1: error: message [code]\n");
    CHECK(rendered("{\n", 2, 2) == "f:2:1: error: message [code]\n");
    CHECK(rendered("{\n   \n", 2, 5) == "f:2:1: error: message [code]\n");
}

TEST_CASE("render_text: a diagnostic at line 0 has no place but its pointer, and no line") {
    Diagnostics all = about("{}", 0, 0);
    all[0].range.begin.line = 0;
    CHECK(dszero::render_text({"f", "{}"}, all) == "f: error: message [code]\n");
    all[0].pointer = "/zero_optimization/stage";
    CHECK(dszero::render_text({"f", "{}"}, all) == "f:/zero_optimization/stage: error: message [code]\n");
}

TEST_CASE("render_text: control characters in the text, name and message are shown, never sent") {
    CHECK(rendered("a\x1b[33m: 1", "1") == "f:1:9: error: message [code]\n  a\\x1b[33m: 1\n             ^\n");
    CHECK(rendered(std::string_view("\0\x7f 1", 4), "1").ends_with("\n  \\x00\\x7f 1\n           ^\n"));
    CHECK(rendered("\u009b: 1", "1").ends_with("\n  \\u009b: 1\n          ^\n"));  // CSI in one character

    Diagnostics all = about("a", 0, 1);
    all[0].message = "got \x1b]0;title\x07\n";
    all[0].hint = "\rx";
    const std::string out = dszero::render_text({"\x1b[2J", "a"}, all);
    CHECK(out == "\\x1b[2J:1:1: error: got \\x1b]0;title\\x07\\x0a [code]\n  a\n  ^\n  hint: \\x0dx\n");
}

TEST_CASE("render_text: characters that hide or reorder text are shown as escapes") {
    CHECK(rendered("a\u202eb: 1", "1").ends_with("\n  a\\u202eb: 1\n            ^\n"));
    CHECK(rendered("\uFEFF{a: 1}", "a").ends_with("\n  \\ufeff{a: 1}\n         ^\n"));
}

TEST_CASE("render_text: bytes that are no UTF-8 are shown as such, in the name too") {
    CHECK(rendered("a\xFF: 1", "1").ends_with("\n  a\\xff: 1\n         ^\n"));
    CHECK(rendered("\xE2\x82", 0, 2).ends_with("\n  \\xe2\\x82\n  ^~~~~~~~\n"));
    CHECK(rendered("\xED\xA0\x80", 0, 3).ends_with("\n  \\ud800\n  ^~~~~~\n"));
    CHECK(dszero::render_text({"\xFF.json", "a"}, about("a", 0, 1)).starts_with("\\xff.json:1:1: "));
}

TEST_CASE("render_text: a long line is cut to a window around the caret") {
    const std::string before(500'000, 'x'), behind(500'000, 'y');
    const std::string text = before + "HERE" + behind;
    const std::string out = rendered(text, "HERE");
    CHECK(out.size() < 300);
    CHECK(out == "f:1:500001: error: message [code]\n  ..." + std::string(33, 'x') + "HERE" +
                     std::string(63, 'y') + "...\n  " + std::string(36, ' ') + "^~~~\n");

    CHECK(rendered("HERE" + behind, "HERE") ==
          "f:1:1: error: message [code]\n  HERE" + std::string(96, 'y') + "...\n  ^~~~\n");
    CHECK(rendered(before + "HERE", "HERE") == "f:1:500001: error: message [code]\n  ..." +
                                                   std::string(96, 'x') + "HERE\n  " + std::string(99, ' ') +
                                                   "^~~~\n");
    CHECK(rendered(text, 0, text.size()).ends_with("\n  ^" + std::string(99, '~') + "\n"));
}

TEST_CASE("render_text: a line of wide characters is cut between characters") {
    std::string text;
    for (int i = 0; i < 1000; ++i) text += "名";
    const std::string out = rendered(text, 1500, 1503);
    CHECK(out.find("\\x") == std::string::npos);
    CHECK(out.find("...名") != std::string::npos);
    CHECK(out.find("名...") != std::string::npos);
}

TEST_CASE(
    "render_text: whatever the bytes and the range, only text comes out, and the caret stands below it") {
    std::mt19937 random(1);
    constexpr std::string_view pieces[] = {"a",      " ",          "\t",       "\n", "\r\n",
                                           "\x1b",   "\xFF",       "\xE5\x90", "名", "e\u0301",
                                           "\u202e", "\U0001F600", "\"k\": 1,"};
    for (int round = 0; round < 2000; ++round) {
        std::string text;
        for (std::size_t n = random() % 200; n > 0; --n) text += pieces[random() % std::size(pieces)];
        const std::size_t begin = random() % (text.size() + 1);
        const std::string out = rendered(text, begin, begin + random() % 40);
        for (std::size_t i = 0; i < out.size();) {
            const dszero::CodePoint c = dszero::code_point_at(out, i);
            REQUIRE((!c.is_bad_byte() && (c.value == '\n' || !dszero::is_invisible(c.value))));
            i += c.length;
        }
        const dszero::Snippet shown =
            dszero::snippet(text, {static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(begin + 1)});
        std::string scratch;
        REQUIRE(shown.caret <= dszero::append_visible(scratch, shown.line));
    }
}

TEST_CASE("render_text: 40,000 diagnostics in one line of 1 MB take no time to speak of") {
    std::string text;
    Diagnostics all;
    for (int i = 0; i < 40'000; ++i) {
        Diagnostic d;
        d.range = dszero::unlocated(
            {static_cast<std::uint32_t>(text.size()), static_cast<std::uint32_t>(text.size() + 1)});
        all.push_back(d);
        text += "k: \"123456789012345678\", ";
    }
    const std::clock_t start = std::clock();  // of this process: others do not count
    dszero::finish(text, all);
    const std::string out = dszero::render_text({"f", text}, all);
    CHECK(out.size() > 40'000 * 100);
    CHECK(std::clock() - start < 10 * CLOCKS_PER_SEC);  // a sanitizer's pace; else 0.3 s
}

TEST_CASE("render_text: colour wraps place, severity and caret, and changes no character") {
    Diagnostics all = about("{a: 1}", 1, 2);
    const dszero::Source source{"f", "{a: 1}"};
    CHECK(dszero::render_text(source, all, Style::colour) ==
          "\x1b[1mf:1:2: \x1b[0m\x1b[1;31merror: \x1b[0mmessage [code]\n  {a: 1}\n   \x1b[1;31m^\x1b[0m\n");
    all[0].severity = Severity::warning;
    CHECK(dszero::render_text(source, all, Style::colour).find("\x1b[1;35mwarning: ") != std::string::npos);
    all[0].severity = Severity::note;
    CHECK(dszero::render_text(source, all, Style::colour).find("\x1b[1;36mnote: ") != std::string::npos);
}

TEST_CASE("render_json: an object for each diagnostic") {
    CHECK(dszero::render_json({}) == "[]");
    Diagnostics all = about("{\na: 1}", 2, 3);
    all[0].pointer = "/zero_optimization/a";
    all[0].message = "gr\u00fc\u00df \"gott\"";
    CHECK(dszero::render_json(all) ==
          R"([{"severity":"error","code":"code","pointer":"/zero_optimization/a","line":2,"column":1,)"
          R"("end_line":2,"end_column":2,"message":"gr\u00fc\u00df \"gott\"","hint":null}])");
    all.push_back(all[0]);
    all[1].severity = Severity::note;
    all[1].hint = "mend it";
    const std::string out = dszero::render_json(all);
    CHECK(out.find(R"("hint":null},{"severity":"note")") != std::string::npos);
    CHECK(out.ends_with(R"("hint":"mend it"}])"));
}

TEST_CASE("render_json: at line 0 there is no place") {
    Diagnostics all = about("", 0, 0);
    all[0].range.begin.line = 0;
    CHECK(dszero::render_json(all).find(R"("line":null,"column":null,"end_line":null,"end_column":null)") !=
          std::string::npos);
}
