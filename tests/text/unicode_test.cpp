// SPDX-License-Identifier: MIT
#include <dszero/text/unicode.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <string>
#include <string_view>

using namespace dszero;

TEST_CASE("code points: every one is read back from its bytes") {
    std::size_t wrong = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) {
        std::string bytes;
        append_code_point(bytes, c);
        const CodePoint read = code_point_at(bytes, 0);
        if (read.value != c || read.length != bytes.size() || previous_character(bytes, bytes.size()) != 0)
            ++wrong;
    }
    CHECK(wrong == 0);
}

TEST_CASE("code points: a lone surrogate takes three bytes") {
    std::string bytes;
    append_code_point(bytes, 0xD800);
    CHECK(bytes == "\xED\xA0\x80");
}

TEST_CASE("code points: a byte that starts no character stands for itself") {
    CHECK(code_point_at("\xFF", 0).value == 0xFF);
    CHECK(code_point_at("\xC3", 0).length == 1);
    CHECK(code_point_at("\xE2\x82"
                        "a",
                        0)
              .length == 1);
    CHECK(code_point_at("\x80", 0).value == 0x80);
}

TEST_CASE("UTF-8: valid text has no invalid byte") {
    CHECK(find_invalid_utf8("") == std::string_view::npos);
    CHECK(find_invalid_utf8(std::string(100, 'a')) == std::string_view::npos);
    CHECK(find_invalid_utf8("h\xC3\xA9 \xE2\x82\xAC \xF0\x9F\x98\x80 \xF4\x8F\xBF\xBF") ==
          std::string_view::npos);
}

TEST_CASE("UTF-8: the first byte of what Python refuses is found") {
    const std::string ascii(70, 'x');  // longer than a step of the fast path
    for (const char* bad : {"\x80", "\xC0\x80", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x80\x80", "\xE2\x82",
                            "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x80\x80\x80", "\xF0\x9F\x98",
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFF"}) {
        CAPTURE(bad);
        CHECK(find_invalid_utf8(bad) == 0);
        CHECK(find_invalid_utf8(ascii + bad) == ascii.size());
        CHECK(find_invalid_utf8("\xC3\xA9" + std::string(bad) + ascii) == 2);
    }
}

TEST_CASE("blanks: those of str.strip") {
    std::size_t blanks = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) blanks += is_python_space(c);
    CHECK(blanks == 29);
    CHECK(is_python_space(0x1C));
    CHECK(is_python_space(0x85));
    CHECK(is_python_space(0x3000));
    CHECK_FALSE(is_python_space(0x200B));  // zero width space
    CHECK_FALSE(is_python_space(0xFEFF));
}

TEST_CASE("strip: takes blanks of every kind from both ends") {
    CHECK(strip("") == "");
    CHECK(strip(" \t\n") == "");
    CHECK(strip("\xC2\xA0 a b\xE3\x80\x80\x1F") == "a b");
    CHECK(strip("\xE2\x80\x8B"
                "a") ==
          "\xE2\x80\x8B"
          "a");
    CHECK(strip_right(" a ") == " a");
}

TEST_CASE("digits: 660 characters are decimal digits") {
    std::size_t digits = 0;
    for (char32_t c = 0; c <= 0x10FFFF; ++c) digits += decimal_digit(c) >= 0;
    CHECK(digits == 660);
    CHECK(decimal_digit(U'7') == 7);
    CHECK(decimal_digit(0x0663) == 3);
    CHECK(decimal_digit(0x1D7FF) == 9);
    CHECK(decimal_digit(0x1FBF9) == 9);
    CHECK(decimal_digit(U'a') == -1);
    CHECK(decimal_digit(0xB2) == -1);    // superscript two is no decimal digit
    CHECK(decimal_digit(0x2167) == -1);  // nor is a Roman numeral
}

TEST_CASE("digits: written in ASCII") {
    CHECK(ascii_digits("-1\xD9\xA2.\xEF\xBC\x93"
                       "e5") == "-12.3e5");
    CHECK(ascii_digits("") == "");
}
