// SPDX-License-Identifier: MIT
#include <dszero/engine/parts/use_order.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <initializer_list>

using dszero::UseOrder;

TEST_CASE("order of use: known after the first pass, and again after the pass behind a surprise") {
    UseOrder order;
    const auto pass = [&](std::initializer_list<std::size_t> modules) {
        bool expected = true;
        for (const std::size_t m : modules) expected = order.visit(m) && expected;
        order.end_pass();
        return expected;
    };
    pass({0, 1, 1, 0});
    CHECK(order.known());
    CHECK(pass({0, 1, 1, 0}));
    CHECK_FALSE(pass({0, 1, 2}));
    CHECK(pass({0, 1, 2}));
    CHECK(pass({0, 1}));  // but it ended too early
    CHECK_FALSE(order.known());
}

TEST_CASE("order of use: what never ends is not recorded for ever") {
    UseOrder order;
    for (std::size_t use = 0; use < 3 * UseOrder::longest_pass; ++use) order.visit(use % 3);
    CHECK(order.length() == UseOrder::longest_pass);
    order.end_pass();
    CHECK_FALSE(order.known());
    for (int pass = 0; pass < 2; ++pass) {
        for (const std::size_t m : {1u, 2u}) order.visit(m);
        order.end_pass();
    }
    CHECK(order.known());
    CHECK(order.length() == 2);
}
