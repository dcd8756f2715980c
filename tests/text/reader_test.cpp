// SPDX-License-Identifier: MIT
#include <dszero/text/reader.hpp>

#include "support/catch.hpp"

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

using namespace dszero;
using Json = nlohmann::ordered_json;

namespace {

struct Reading {
    Source source;
    bool ok = false;
    Tree tree;
    Diagnostics problems;

    const Json& value() const { return tree.value; }
    std::string key(std::size_t node) const {
        return std::string(spelling(source.text, tree.nodes.at(node).key));
    }
    std::string at(std::size_t node) const {
        return std::string(spelling(source.text, tree.nodes.at(node).value));
    }
    std::string problem_at() const { return at_range(problems.at(0)); }
    std::string at_range(const Diagnostic& d) const {
        return source.text.substr(d.range.begin.offset, d.range.end.offset - d.range.begin.offset);
    }
};

Reading reading(std::string text, ReadOptions options = {}) {
    Reading r;
    r.source = {"<text>", std::move(text)};
    r.ok = read(r.source, options, r.tree, r.problems);
    finish(r.source.text, r.problems);
    return r;
}

ReadOptions json_dialect() {
    ReadOptions options;
    options.dialect = Dialect::json;
    return options;
}

ReadOptions last_key_wins() {
    ReadOptions options;
    options.repeated_keys_refused = false;
    return options;
}

Json hjson(std::string text) {
    const Reading r = reading(std::move(text));
    CAPTURE(r.source.text);
    REQUIRE(r.ok);
    return r.value();
}

bool refused(std::string text, ReadOptions options = {}) {
    const Reading r = reading(std::move(text), options);
    CHECK(r.ok != has_errors(r.problems));
    return !r.ok;
}

/// "line:column code"
std::string first_problem(const Reading& r) {
    const Diagnostic& d = r.problems.at(0);
    return std::to_string(d.range.begin.line) + ":" + std::to_string(d.range.begin.column) + " " + d.code;
}

}  // namespace

// ---- Hjson: values

TEST_CASE("hjson: strict JSON is read as it is") {
    const Json value = hjson(R"({"a": [1, -2, 3.5, true, false, null], "b": {"c": "d"}})");
    CHECK(value == Json::parse(R"({"a": [1, -2, 3.5, true, false, null], "b": {"c": "d"}})"));
    CHECK(value["a"][0].is_number_unsigned());
    CHECK(value["a"][1].type() == Json::value_t::number_integer);
}

TEST_CASE("hjson: comments, missing and trailing commas, keys without quotes") {
    CHECK(hjson("{ # one\n a: 1 // two\n 'b': [1\n 2,\n] /* three */ , \"c\": x y\n}") ==
          Json::parse(R"({"a": 1, "b": [1, 2], "c": "x y"})"));
}

TEST_CASE("hjson: braces around the root may be left out") {
    CHECK(hjson("a: 1\nb: {c: 2}\n") == Json::parse(R"({"a": 1, "b": {"c": 2}})"));
}

TEST_CASE("hjson: a text that fails as an object without braces may be a single value") {
    CHECK(hjson("12") == Json(12));
    CHECK(hjson("'x'") == Json("x"));
    CHECK(hjson("a: {b: 1") == Json("a: {b: 1"));
    const Reading r = reading("zero_optimization {stage: 2}");
    CHECK(r.ok);
    CHECK(r.value() == Json("zero_optimization {stage: 2}"));
    REQUIRE(r.problems.size() == 1);
    CHECK(r.problems[0].severity == Severity::note);
}

TEST_CASE("hjson: a repeated key or a crash ends the reading before a single value is tried") {
    CHECK(refused("a: {b: 1, b: 2}\nc"));
    CHECK(reading("a: {b: 1, b: 2}\nc", last_key_wins()).ok == false);  // two lines are no single value
    CHECK(refused("a: {b: 1, b: 2} c"));
    CHECK(reading("a: {b: 1, b: 2} c", last_key_wins()).value() == Json("a: {b: 1, b: 2} c"));
    CHECK(refused("a: 1e400"));
    CHECK(refused("\"a\" /* open"));
}

TEST_CASE("hjson: a text of blanks and comments is an empty object") {
    for (const char* text : {"", " \n", "# c", "/* c */ // d"}) {
        CAPTURE(text);
        const Reading r = reading(text);
        CHECK(r.ok);
        CHECK(r.value() == Json::object());
        CHECK(r.tree.nodes.size() == 1);
    }
}

TEST_CASE("hjson: one byte-order mark is skipped, but then the text must not be empty") {
    CHECK(hjson("\xEF\xBB\xBF{}") == Json::object());
    CHECK(hjson("\xC3\xAF\xC2\xBB\xC2\xBF{a: 1}") == Json::parse(R"({"a": 1})"));
    CHECK(refused("\xEF\xBB\xBF"));
    CHECK(refused("\xEF\xBB\xBF # c"));
    CHECK(hjson(" \xEF\xBB\xBF{}") == Json("\xEF\xBB\xBF{}"));
}

TEST_CASE("hjson: literals and numbers are such only where a value can end") {
    CHECK(hjson("[true # c\n false, null]") == Json::parse("[true, false, null]"));
    CHECK(hjson("[true\xC2\xA0]") == Json::parse("[true]"));
    CHECK(
        hjson("a: True\nb: 1 2\nc: .5\nd: 1.\ne: +1\nf: 01\ng: NaN\nh: truex") ==
        Json::parse(
            R"({"a": "True", "b": "1 2", "c": ".5", "d": "1.", "e": "+1", "f": "01", "g": "NaN", "h": "truex"})"));
    CHECK(hjson("a: 5/6\nb: 5//6\nc: 5/*6*/") == Json::parse(R"({"a": "5/6", "b": 5, "c": 5})"));
}

TEST_CASE("hjson: an integral number below 1e10 is an integer however it is written") {
    const Json value = hjson("[5e8, 1e10, 9999999999.0, -3.0, -0.0, 1e-400, 0.5]");
    CHECK(value[0].is_number_unsigned());
    CHECK(value[0] == Json(500000000));
    CHECK(value[1].is_number_float());
    CHECK(value[2] == Json(9999999999));
    CHECK(value[2].is_number_unsigned());
    CHECK(value[3].type() == Json::value_t::number_integer);
    CHECK(value[4].is_number_unsigned());
    CHECK(value[5].is_number_unsigned());
    CHECK(value[6].is_number_float());
}

TEST_CASE("hjson: integers of any length keep their spelling") {
    const Reading r = reading(
        "[18446744073709551615, 18446744073709551616, -9223372036854775808, -9223372036854775809, 1e22]");
    REQUIRE(r.ok);
    CHECK(r.value()[0] == Json(18446744073709551615u));
    CHECK(r.value()[2] == Json(std::int64_t{-9223372036854775807} - 1));
    CHECK_FALSE(is_big_integer(r.value()[0], r.at(1)));
    CHECK(is_big_integer(r.value()[1], r.at(2)));
    CHECK_FALSE(is_big_integer(r.value()[2], r.at(3)));
    CHECK(is_big_integer(r.value()[3], r.at(4)));
    CHECK_FALSE(is_big_integer(r.value()[4], r.at(5)));
    CHECK(r.at(2) == "18446744073709551616");
}

TEST_CASE("hjson: 4300 digits are an integer, 4301 are not; a float may have more") {
    CHECK(reading("[" + std::string(4300, '7') + "]").ok);
    CHECK(reading("[-" + std::string(4300, '7') + "]").ok);
    const Reading r = reading("[" + std::string(4301, '7') + "]");
    CHECK_FALSE(r.ok);
    CHECK(first_problem(r) == "1:2 number-range");
    CHECK(hjson("[0." + std::string(5000, '3') + "]")[0] == Json(1.0 / 3));
}

TEST_CASE("hjson: a number beyond the range of doubles is refused") {
    for (const char* text : {"1e309", "-1e400", "[1e99999999999999999999]", "10e308", "0.001e312"}) {
        CAPTURE(text);
        const Reading r = reading(text);
        CHECK_FALSE(r.ok);
        CHECK(r.problems.at(0).code == "number-range");
    }
    CHECK(hjson("1e-99999999999999999999") == Json(0));
    CHECK(hjson("0e99999999999999999999") == Json(0));
}

TEST_CASE("hjson: digits of any script, after the first") {
    CHECK(hjson("1\xD9\xA2") == Json(12));
    CHECK(hjson("1.\xD9\xA5") == Json(1.5));
    CHECK(hjson("\xD9\xA1") == Json("\xD9\xA1"));
}

TEST_CASE("hjson: both quotes, and both escaped in both") {
    CHECK(hjson(R"(["it's", 'a "b"', "\"\'\\\/\b\f\n\r\t", '\'\"'])") ==
          Json::parse(R"(["it's", "a \"b\"", "\"'\\/\b\f\n\r\t", "'\""])"));
    CHECK(refused("[\"\\x\"]"));
    CHECK(refused("[\"a\tb\"]"));
    CHECK(refused("[\"a\nb\"]"));
    CHECK(refused("[\"a"));
}

TEST_CASE("hjson: surrogates in pairs join, lone ones stay") {
    CHECK(hjson(R"(["\ud83d\ude00"])")[0] == Json("\xF0\x9F\x98\x80"));
    CHECK(hjson(R"(["\ud83d"])")[0].get<std::string>() == "\xED\xA0\xBD");
    CHECK(hjson(R"(["\ude00\ud83d"])")[0].get<std::string>() == "\xED\xB8\x80\xED\xA0\xBD");
    CHECK(hjson(R"(["\ud83d\u0041"])")[0].get<std::string>() ==
          "\xED\xA0\xBD"
          "A");
}

TEST_CASE("hjson: four characters after \\u may be whatever Python's int takes in base 16") {
    CHECK(hjson(R"(["\u 41 ", "\u+041", "\u4_1a", "\u-000"])") ==
          Json::parse(R"(["A", "A", "\u041a", "\u0000"])"));
    CHECK(hjson("[\"\\u12\r\n \"]")[0] == Json("\x12"));  // the line end is one character
    CHECK(refused(R"(["\u0x41"])"));
    CHECK(refused(R"(["\u41_ "])"));
    CHECK(refused(R"(["\u-041"])"));
    CHECK(refused(R"(["\u12"])"));
}

TEST_CASE("hjson: a string over several lines loses the indent of its first line") {
    CHECK(hjson("{\n  a:\n  '''\n  x\n    y\n z\n  '''\n}")["a"] == Json("x\n  y\nz"));
    CHECK(hjson("{\n  a: '''one'''\n}")["a"] == Json("one"));
    CHECK(hjson("{\n  a: '''it''s'''\n}")["a"] == Json("it''s"));
    CHECK(hjson("a: '''\n\n'''")["a"] == Json(""));
}

TEST_CASE("hjson: the indent of a string on the first line runs on at the end of the text") {
    CHECK(hjson("'''\n   x'''\n") == Json("   x"));
    CHECK(hjson("'''\n   x'''\n  ") == Json(" x"));
    CHECK(hjson("\xC3\xA9: '''\n     x'''\n")["\xC3\xA9"] ==
          Json("  x"));  // in characters: three before the quotes
    const Reading r = reading("a: '''x'''");
    CHECK_FALSE(r.ok);  // no line end at all: an IndexError in hjson-py
    CHECK(first_problem(r) == "1:4 syntax");
}

TEST_CASE("hjson: line ends are translated as in a text file, unless told otherwise") {
    CHECK(hjson("a: '''\r\n x\ry'''\r\n")["a"] == Json("x\ny"));
    ReadOptions kept;
    kept.line_ends_translated = false;
    CHECK(reading("a: '''\r\n x\ry'''\r\n", kept).value()["a"] == Json("xy"));
    CHECK(hjson("a: 1\rb: 2\r\n") == Json::parse(R"({"a": 1, "b": 2})"));
}

TEST_CASE("hjson: keys without quotes hold anything but blanks and punctuation") {
    CHECK(hjson("{a#b: 1, c\"d: 2, //x\n e/f : 3}") == Json::parse(R"({"a#b": 1, "c\"d": 2, "e/f": 3})"));
    CHECK(hjson("a\xC2\xA0 : 1").contains("a"));
    CHECK(hjson("a\xC2\xA0: 1").contains("a\xC2\xA0"));
    CHECK(hjson("\"a\" /* c */ : 1").contains("a"));
    CHECK(refused("{a b: 1}"));
    CHECK(refused("{a /* c */: 1}"));
    CHECK(refused("{: 1}"));
    CHECK(refused("{'''a''': 1}"));
}

TEST_CASE("hjson: one comma at most") {
    CHECK(refused("{a: 1,, b: 2}"));
    CHECK(refused("[1,,2]"));
    CHECK(refused("[,]"));
    CHECK(refused("{,}"));
    CHECK(hjson("[1,]") == Json::parse("[1]"));
}

// ---- Hjson: positions

TEST_CASE("positions: nodes stand in document order, with quotes and brackets") {
    const Reading r = reading(" {\"a\": [1, {b: x y \n}], 'c' : '''z'''}\n");
    REQUIRE(r.ok);
    const Nodes& nodes = r.tree.nodes;
    REQUIRE(nodes.size() == 6);
    CHECK(nodes[0].key == Span{0, 0});
    CHECK(nodes[0].value == Span{1, static_cast<std::uint32_t>(r.source.text.size() - 1)});
    CHECK(nodes[0].end == 6);
    CHECK(r.key(1) == "\"a\"");
    CHECK(r.at(1) == "[1, {b: x y \n}]");
    CHECK(nodes[1].end == 5);
    CHECK(nodes[2].key == Span{0, 0});
    CHECK(r.at(2) == "1");
    CHECK(r.at(3) == "{b: x y \n}");
    CHECK(r.key(4) == "b");
    CHECK(r.at(4) == "x y");
    CHECK(r.key(5) == "'c'");
    CHECK(r.at(5) == "'''z'''");
    CHECK(nodes[5].end == 6);
}

TEST_CASE("positions: a root without braces reaches from its first key to its last value") {
    const Reading r = reading("# c\na: 1\nb: two \n");
    REQUIRE(r.ok);
    CHECK(r.at(0) == "a: 1\nb: two");
}

TEST_CASE("positions: refer to the text as it is, CR LF and all") {
    const Reading r = reading("{\r\n  \"a\": '''\r\n  x'''\r\n  b: \xC3\xA9\r\n}");
    REQUIRE(r.ok);
    CHECK(r.at(1) == "'''\r\n  x'''");
    CHECK(r.key(2) == "b");
    CHECK(r.at(2) == "\xC3\xA9");
}

// ---- repeated keys

TEST_CASE("repeated keys: every one is reported where it stands again, at any depth") {
    const Reading r = reading("{\"a\": 1,\n \"b\": {c: 1, 'c': 2, \"\\u0063\": 3},\n a: 2}");
    CHECK_FALSE(r.ok);
    REQUIRE(r.problems.size() == 3);
    CHECK(first_problem(r) == "2:14 duplicate-key");
    CHECK(r.at_range(r.problems[1]) == "\"\\u0063\"");
    CHECK(r.at_range(r.problems[2]) == "a");
    CHECK(r.problems[2].message.find("line 1") != std::string::npos);
    CHECK(r.value() == Json::parse(R"({"b": {"c": 3}, "a": 2})"));  // so that the rest can be checked
}

TEST_CASE("repeated keys: the last one wins where they are allowed") {
    const Reading r =
        reading("{\"a\": [1, 2], \"b\": {\"x\": 1, \"x\": {\"y\": 2}}, \"a\": 3}", last_key_wins());
    CHECK(r.ok);
    CHECK(r.value() == Json::parse(R"({"b": {"x": {"y": 2}}, "a": 3})"));
    CHECK(r.problems.size() == 2);
    CHECK_FALSE(has_errors(r.problems));
    REQUIRE(r.tree.nodes.size() == 5);
    CHECK(r.key(1) == "\"b\"");
    CHECK(r.tree.nodes[1].end == 4);
    CHECK(r.at(3) == "2");
    CHECK(r.key(4) == "\"a\"");
    CHECK(r.at(4) == "3");
    CHECK(r.tree.nodes[0].end == 5);
}

TEST_CASE("repeated keys: dropped members may hold dropped members") {
    const Reading r = reading("{a: {b: {c: 1, c: 2}, b: 3}, d: 4, a: {b: 5, b: 6}}", last_key_wins());
    CHECK(r.ok);
    CHECK(r.value() == Json::parse(R"({"d": 4, "a": {"b": 6}})"));
    REQUIRE(r.tree.nodes.size() == 4);
    CHECK(r.at(1) == "4");
    CHECK(r.at(2) == "{b: 5, b: 6}");
    CHECK(r.at(3) == "6");
}

TEST_CASE("repeated keys: found among few and among many alike") {
    for (const std::size_t count : {2u, 31u, 32u, 33u, 34u, 1000u}) {
        CAPTURE(count);
        std::string text = "{";
        for (std::size_t i = 0; i < count; ++i) text += "\"key" + std::to_string(i) + "\": 0,\n";
        CHECK(reading(text + "}").ok);
        const Reading r = reading(text + "key1: 1\nkey0: 2\nkey1: 3\n}");
        REQUIRE(r.problems.size() == 3);
        CHECK(r.problems[0].message.find("line 2") != std::string::npos);
        CHECK(r.problems[1].message.find("line 1") != std::string::npos);
        CHECK(r.problems[2].message.find("line 2") != std::string::npos);
    }
}

// ---- messages

TEST_CASE("messages: a value without quotes that took the bracket is blamed, with its mending") {
    const Reading r = reading("{\"a\": True}");
    CHECK(first_problem(r) == "1:7 syntax");
    CHECK(r.problem_at() == "True}");
    CHECK(r.problems[0].hint == "write true");
    REQUIRE(r.problems[0].replacement);
    CHECK(r.problems[0].replacement->text == "true");
    CHECK(spelling(r.source.text, r.problems[0].replacement->span) == "True");

    CHECK(reading("{\"a\": .5}").problems.at(0).hint == "write 0.5");
    CHECK(reading("{\"a\": 1.}").problems.at(0).hint == "write 1.0");
    CHECK(reading("{\"a\": [None], \"b\": 1}").problems.at(0).hint == "write null");
    CHECK(reading("{\"a\": cpu}").problems.at(0).hint == "put the value in quotes");
}

TEST_CASE("messages: a bracket that is never closed is shown, and where the indentation disagrees") {
    const Reading r = reading("{\n  \"a\": {\n    \"b\": {\n      \"c\": 1\n  },\n  \"d\": 2\n}\n");
    CHECK(first_problem(r) == "1:1 syntax");
    CHECK(r.problem_at() == "{");
    CHECK(r.problems[0].hint.find("line 5") != std::string::npos);
    CHECK(r.problems[0].hint.find("line 3") != std::string::npos);
    CHECK(first_problem(reading("[1, 2")) == "1:1 syntax");
}

TEST_CASE("messages: point at what is wrong") {
    CHECK(first_problem(reading("{\"a\": 1,, \"b\": 2}")) == "1:9 syntax");
    CHECK(first_problem(reading("{\"a\" 1}")) == "1:6 syntax");
    CHECK(first_problem(reading("{a b: 1}")) == "1:4 syntax");
    CHECK(first_problem(reading("{\"a\": }")) == "1:7 syntax");
    CHECK(first_problem(reading("{} x")) == "1:4 syntax");
    CHECK(first_problem(reading("{\"a\": \"b\n}")) == "1:7 syntax");
    CHECK(first_problem(reading("{\"a\": \"b\\c\"}")) == "1:9 syntax");
    CHECK(first_problem(reading("{\"a\": \"b\tc\"}")) == "1:9 syntax");
    CHECK(first_problem(reading("{ /* a")) == "1:3 syntax");
    CHECK(first_problem(reading("{\n'''a'''}")) == "2:3 syntax");
}

TEST_CASE("messages: undecodable bytes are named before anything else") {
    const Reading r = reading("{\n \"a\": \"\xFF\", \"a\": }");
    CHECK_FALSE(r.ok);
    REQUIRE(r.problems.size() == 1);
    CHECK(first_problem(r) == "2:8 invalid-utf8");
    CHECK(r.problems[0].message.find("0xFF") != std::string::npos);
    CHECK(reading("\xFF\xFE{").problems.at(0).hint.find("UTF-16") != std::string::npos);
}

// ---- limits

TEST_CASE("limits: nesting is bounded, in both dialects") {
    const auto nested = [](std::size_t levels) {
        return std::string(levels, '[') + std::string(levels, ']');
    };
    CHECK(reading(nested(490)).ok);
    CHECK(reading(nested(491)).problems.at(0).code == "too-deep");
    CHECK(reading(nested(990), json_dialect()).ok);
    CHECK(reading(nested(991), json_dialect()).problems.at(0).code == "too-deep");
    for (const char* level : {"[", "{a:", "{\"a\":"}) {
        std::string text;
        for (int i = 0; i < 20000; ++i) text += level;
        CHECK(refused(text));
        CHECK(refused(text, json_dialect()));
    }
}

TEST_CASE("limits: 40,000 keys in one object") {
    std::string text = "{\n";
    for (int i = 0; i < 40000; ++i) text += "\"key" + std::to_string(i) + "\": " + std::to_string(i) + ",\n";
    const Reading r = reading(text + "}");
    REQUIRE(r.ok);
    CHECK(r.value().size() == 40000);
    CHECK(r.tree.nodes.size() == 40001);
    std::string same_key = "{\n";
    for (int i = 0; i < 40000; ++i) same_key += "k: " + std::to_string(i) + "\n";
    CHECK(reading(same_key + "}").problems.size() == 39999);
    CHECK(reading(same_key + "}", last_key_wins()).value() == Json::parse(R"({"k": 39999})"));
}

TEST_CASE("limits: a megabyte of anything is read") {
    const std::size_t many = 1'000'000;
    const auto repeated = [&](std::string_view piece) {
        std::string text;
        while (text.size() < many) text += piece;
        return text;
    };
    CHECK(reading("a: x" + repeated(",")).ok);
    CHECK(reading("a: 1" + repeated(" ") + "x").ok);
    CHECK(reading("a: true" + repeated("\t") + "x").ok);
    CHECK(reading(repeated("\n")).ok);
    CHECK(reading("[" + repeated("''' ''' ") + "]\n").ok);
    CHECK(reading("[" + repeated("'''a''' ") + "]\n" + repeated(" ")).ok);
    CHECK(reading("[" + repeated("[],") + "]").ok);
    CHECK(reading("[" + repeated("[\n],") + "]").ok);
    CHECK(reading("[" + repeated("1,") + "]").ok);
    CHECK(reading("{" + repeated("\"a\":") + "}").ok == false);
    CHECK(reading(repeated("/* */")).ok);
    CHECK(reading(repeated("/* ")).ok == false);
    CHECK(reading(repeated("{")).ok == false);
    CHECK(reading(repeated("a:")).ok);
    CHECK(reading("[\"" + repeated("\\u0041") + "\"]").ok);
    CHECK(reading(repeated("'")).ok == false);
    CHECK(reading("a: [" + repeated("[\n]") + "\n").ok == false);
    CHECK(reading(repeated("-")).ok);
    CHECK(reading("[1" + repeated("0") + "]").ok == false);
    CHECK(reading("[1." + repeated("0") + "]").ok);
}

TEST_CASE("limits: NUL is a character like others, except where a text ends") {
    using namespace std::string_literals;
    CHECK(hjson("a: x\0y\nb: 1"s) == Json({{"a", "x\0y"s}, {"b", 1}}));
    CHECK(hjson("a\0: 1"s).contains("a\0"s));
    CHECK(hjson("a: 1\0"s)["a"] == Json("1\0"s));
    CHECK(refused("{\0}"s));
    CHECK(refused("\0"s, json_dialect()));
    CHECK(refused("{}\0"s, json_dialect()));
}

// ---- Python's json

TEST_CASE("json: takes JSON and Python's three numbers, nothing else") {
    const auto json = [](std::string text) { return reading(std::move(text), json_dialect()); };
    CHECK(json(" {\"a\": [1, 2.0, -0, 1e5, true, null], \"it's\": \"\"} ").ok);
    CHECK(json("2.0").value().is_number_float());
    CHECK(json("1e5").value().is_number_float());
    CHECK(std::isinf(json("1e400").value().get<double>()));
    CHECK(json("-1e400").value().get<double>() < 0);
    CHECK(std::isnan(json("NaN").value().get<double>()));
    CHECK(std::isinf(json("-Infinity").value().get<double>()));
    CHECK_FALSE(is_big_integer(json("NaN").value(), "NaN"));
    for (const char* text : {"",
                             "{a: 1}",
                             "{'a': 1}",
                             "[1,]",
                             "{\"a\": 1,}",
                             "# c\n1",
                             "01",
                             "1.",
                             ".5",
                             "+1",
                             "nul",
                             "[1 2]",
                             "\"a\nb\"",
                             "\"\\'\"",
                             "\"\\u+041\"",
                             "\"\\u41\"",
                             "\xEF\xBB\xBF{}",
                             "{} {}",
                             "[1\xC2\xA0]",
                             "-",
                             "1\xD9\xA2",
                             "True"}) {
        CAPTURE(text);
        CHECK(refused(text, json_dialect()));
    }
}

TEST_CASE("json: hints at what other dialects allow") {
    CHECK(reading("{'a': 1}", json_dialect()).problems.at(0).hint == "strings take double quotes in JSON");
    CHECK(reading("{\"a\": True}", json_dialect()).problems.at(0).hint == "write true");
    CHECK(reading("[1] // c", json_dialect()).problems.at(0).code == "syntax");
    CHECK(reading("[1,]", json_dialect()).problems.at(0).hint.find("comma") != std::string::npos);
    CHECK(reading("[ # c\n1]", json_dialect()).problems.at(0).hint == "JSON has no comments");
}

TEST_CASE("json: repeated keys as asked") {
    ReadOptions options = json_dialect();
    CHECK(refused("{\"a\": 1, \"a\": 2}", options));
    options.repeated_keys_refused = false;
    CHECK(reading("{\"a\": 1, \"a\": 2}", options).value() == Json::parse(R"({"a": 2})"));
}
