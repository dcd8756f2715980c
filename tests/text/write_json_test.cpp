// SPDX-License-Identifier: MIT
#include <dszero/text/write_json.hpp>

#include "support/catch.hpp"

#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

using dszero::JsonLayout;
using dszero::write_json;
using Json = nlohmann::ordered_json;

namespace {

std::string in_quotes(std::string_view text) {
    std::string out;
    dszero::append_json_string(out, text);
    return out;
}

std::string shown(double number) {
    std::string out;
    dszero::append_json_double(out, number);
    return out;
}

}  // namespace

TEST_CASE("write_json: scalars") {
    CHECK(write_json(nullptr) == "null");
    CHECK(write_json(true) == "true");
    CHECK(write_json(false) == "false");
    CHECK(write_json("text") == R"("text")");
    CHECK(write_json(0) == "0");
    CHECK(write_json(-1) == "-1");
    CHECK(write_json(1.5) == "1.5");
    CHECK(write_json(Json(Json::value_t::discarded)) == "null");
}

TEST_CASE("write_json: integers keep all of their 64 bits") {
    CHECK(write_json(std::numeric_limits<std::int64_t>::max()) == "9223372036854775807");
    CHECK(write_json(std::numeric_limits<std::int64_t>::min()) == "-9223372036854775808");
    CHECK(write_json(std::numeric_limits<std::uint64_t>::max()) == "18446744073709551615");
}

TEST_CASE("write_json: members and elements keep their order, on one line without blanks") {
    Json value;
    value["stage"] = 3;
    value["offload_param"]["device"] = "cpu";
    value["list"] = Json::array({1, Json::array(), Json::object(), nullptr});
    CHECK(write_json(value) == R"({"stage":3,"offload_param":{"device":"cpu"},"list":[1,[],{},null]})");
}

TEST_CASE("write_json: indented, every member has its line and empty ones stay closed") {
    Json value;
    value["stage"] = 3;
    value["none"] = Json::object();
    value["offload_param"]["device"] = "cpu";
    value["list"] = Json::array({1, 2});
    CHECK(write_json(value, JsonLayout::indented) == R"({
  "stage": 3,
  "none": {},
  "offload_param": {
    "device": "cpu"
  },
  "list": [
    1,
    2
  ]
})");
}

TEST_CASE("write_json: an indented value can stand below another one") {
    std::string out = "  x: ";
    dszero::append_json(out, Json::array({1}), JsonLayout::indented, 1);
    CHECK(out == "  x: [\n    1\n  ]");
}

TEST_CASE("strings: quotes, backslashes and control characters are escaped") {
    CHECK(in_quotes("") == R"("")");
    CHECK(in_quotes("say \"hi\" \\ /") == R"("say \"hi\" \\ /")");
    CHECK(in_quotes("\b\t\n\f\r") == R"("\b\t\n\f\r")");
    CHECK(in_quotes(std::string_view("\0\x01\x1f\x7f", 4)) == R"("\u0000\u0001\u001f\u007f")");
}

TEST_CASE("strings: everything outside ASCII is escaped, pairs of surrogates included") {
    CHECK(in_quotes("gr\u00fc\u00df") == R"("gr\u00fc\u00df")");
    CHECK(in_quotes("\u0080\u07ff\u0800\uffff") == R"("\u0080\u07ff\u0800\uffff")");
    CHECK(in_quotes("\U00010000\U0001F600\U0010FFFF") == R"("\ud800\udc00\ud83d\ude00\udbff\udfff")");
    CHECK(in_quotes("\u2028\u0085") == R"("\u2028\u0085")");
}

TEST_CASE("strings: a lone surrogate, which WTF-8 holds, comes out as its escape") {
    CHECK(in_quotes("\xED\xA0\xBD") == R"("\ud83d")");
    CHECK(in_quotes("a\xED\xB8\x80z") == R"("a\ude00z")");
}

TEST_CASE("strings: every byte that is no text becomes U+FFFD") {
    CHECK(in_quotes("\x80") == R"("\ufffd")");
    CHECK(in_quotes("a\xFF\xFEz") == R"("a\ufffd\ufffdz")");
    CHECK(in_quotes("\xC3") == R"("\ufffd")");                      // cut off at the end
    CHECK(in_quotes("\xE2\x82") == R"("\ufffd\ufffd")");            // likewise
    CHECK(in_quotes("\xC3(") == R"("\ufffd(")");                    // broken off
    CHECK(in_quotes("\xC0\x80") == R"("\ufffd\ufffd")");            // overlong
    CHECK(in_quotes("\xE0\x80\x80") == R"("\ufffd\ufffd\ufffd")");  // overlong
    CHECK(in_quotes("\xF0\x80\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");
    CHECK(in_quotes("\xF4\x90\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd")");  // beyond U+10FFFF
    CHECK(in_quotes("\xF8\x88\x80\x80\x80") == R"("\ufffd\ufffd\ufffd\ufffd\ufffd")");
}

TEST_CASE("strings: any two bytes give ASCII between quotes") {
    for (int first = 0; first < 256; ++first) {
        for (int second = 0; second < 256; ++second) {
            const std::string out =
                in_quotes(std::string{static_cast<char>(first), static_cast<char>(second)});
            REQUIRE(out.size() >= 4);
            for (const char c : out) REQUIRE((c >= 0x20 && c < 0x7F));
        }
    }
}

TEST_CASE("doubles: as Python's repr prints them") {
    using limits = std::numeric_limits<double>;
    const std::pair<double, const char*> cases[] = {
        {0.0, "0.0"},
        {-0.0, "-0.0"},
        {1.0, "1.0"},
        {-1.5, "-1.5"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e-4, "0.0001"},
        {1e-5, "1e-05"},
        {1.5e-5, "1.5e-05"},
        {0.00012, "0.00012"},
        {9.999999999999999e-05, "9.999999999999999e-05"},
        {123456789.0, "123456789.0"},
        {1e15, "1000000000000000.0"},
        {1e16, "1e+16"},
        {1.2345e16, "1.2345e+16"},
        {9007199254740993.0, "9007199254740992.0"},
        {9999999999999998.0, "9999999999999998.0"},
        {1e22, "1e+22"},
        {1e23, "1e+23"},
        {1e100, "1e+100"},
        {5e-324, "5e-324"},
        {2.2250738585072014e-308, "2.2250738585072014e-308"},
        {limits::max(), "1.7976931348623157e+308"},
        {-limits::max(), "-1.7976931348623157e+308"},
    };
    for (const auto& [number, text] : cases) CHECK(shown(number) == text);
}

TEST_CASE("doubles: what JSON has no word for becomes an object") {
    using limits = std::numeric_limits<double>;
    CHECK(shown(limits::quiet_NaN()) == R"({"float":"nan"})");
    CHECK(shown(-limits::quiet_NaN()) == R"({"float":"nan"})");
    CHECK(write_json(limits::infinity()) == R"({"float":"inf"})");
    CHECK(write_json(-limits::infinity()) == R"({"float":"-inf"})");
}
