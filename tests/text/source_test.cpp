// SPDX-License-Identifier: MIT
#include <dszero/text/source.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <string_view>
#include <utility>
#include <vector>

using dszero::Position;

namespace {

/// Line and column of one offset.
std::pair<std::size_t, std::size_t> place(std::string_view text, std::size_t offset) {
    const Position position = dszero::locate(text, {offset}).front();
    return {position.line, position.column};
}

using Place = std::pair<std::size_t, std::size_t>;

}  // namespace

TEST_CASE("locate: lines and columns count from one") {
    CHECK(place("", 0) == Place{1, 1});
    CHECK(place("ab\ncd", 0) == Place{1, 1});
    CHECK(place("ab\ncd", 1) == Place{1, 2});
    CHECK(place("ab\ncd", 3) == Place{2, 1});
    CHECK(place("ab\ncd", 5) == Place{2, 3});
}

TEST_CASE("locate: CR LF and lone CR end lines") {
    CHECK(place("a\r\nb", 3) == Place{2, 1});
    CHECK(place("a\rb", 2) == Place{2, 1});
    CHECK(place("a\r\rb", 3) == Place{3, 1});
    CHECK(place("a\n\rb", 3) == Place{3, 1});
}

TEST_CASE("locate: columns count characters, not bytes") {
    CHECK(place("\xC3\xA9\xF0\x9F\x98\x80x", 6) == Place{1, 3});
}

TEST_CASE("locate: a place beyond the text is its end") { CHECK(place("ab", 10) == Place{1, 3}); }

TEST_CASE("locate: many places in any order are filled in one pass") {
    const std::vector<Position> positions = dszero::locate("a\nbc\nd", {4, 0, 4});
    CHECK(positions[0].line == 2);
    CHECK(positions[0].column == 3);
    CHECK(positions[1].line == 1);
    CHECK(positions[2] == positions[0]);
}

TEST_CASE("spelling: the bytes of a span") {
    CHECK(dszero::spelling("{\"a\": 1}", {1, 4}) == "\"a\"");
    CHECK(dszero::spelling("", {0, 0}).empty());
}
