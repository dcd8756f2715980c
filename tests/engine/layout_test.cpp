// SPDX-License-Identifier: MIT
#include <dszero/layout/parameters.hpp>

#include "support/catch.hpp"

#include <limits>
#include <stdexcept>
#include <string>

using dszero::Layout;

namespace {

std::string problems_of(const Layout& layout) {
    try {
        dszero::check_layout(layout);
    } catch (const std::invalid_argument& e) {
        return e.what();
    }
    return {};
}

}  // namespace

TEST_CASE("layout: a parameter has as many elements as its shape says") {
    Layout layout;
    CHECK(layout.parameters[layout.add_parameter("matrix", {3, 5})].elements == 15);
    CHECK(layout.parameters[layout.add_parameter("number", {})].elements == 1);
    CHECK(layout.parameters[layout.add_parameter("nothing", {4, 0})].elements == 0);
    const std::size_t large = std::size_t{1} << 40;
    CHECK(layout.parameters[layout.add_parameter("nothing, too", {large, large, 0})].elements == 0);
    const std::size_t huge = std::numeric_limits<std::size_t>::max() / 4;
    CHECK_THROWS_AS(layout.add_parameter("too large", {huge, huge}), std::invalid_argument);
}

TEST_CASE("layout: without groups there is one, of all trainable parameters in order") {
    Layout layout;
    layout.add_parameter("a", {2});
    layout.add_parameter("b", {3}, true);
    layout.add_parameter("c", {4});
    const auto groups = dszero::optimizer_groups(layout);
    REQUIRE(groups.size() == 1);
    CHECK(groups[0].parameters == std::vector<std::size_t>{0, 2});
    CHECK(dszero::trainable_elements(layout) == 6);
}

TEST_CASE("layout: a parameter of two modules is shared") {
    Layout layout;
    const auto a = layout.add_parameter("a", {2}), b = layout.add_parameter("b", {2});
    layout.add_module("first", {a, b});
    layout.add_module("last", {a});
    CHECK(dszero::count_uses(layout) == std::vector<std::size_t>{2, 1});
    CHECK(problems_of(layout).empty());
}

TEST_CASE("layout: every contradiction is reported") {
    Layout layout;
    layout.add_parameter("a", {2});
    layout.add_parameter("a", {2});
    layout.add_module("m", {0, 7, 0});
    CHECK(problems_of(layout) ==
          "layout: two parameters are named a; module m lists parameter 7, which does not exist; module m "
          "lists a twice");

    Layout groups;
    groups.add_parameter("a", {2});
    groups.add_parameter("b", {2});
    groups.add_parameter("c", {2});
    groups.add_module("m", {0, 1});
    groups.add_group({0, 1});
    groups.add_group({1});
    CHECK(problems_of(groups) ==
          "layout: b is in more than one optimizer group; no module uses c; c is in no optimizer group: "
          "freeze it, or add "
          "it to one");
}
