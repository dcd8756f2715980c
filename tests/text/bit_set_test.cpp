// SPDX-License-Identifier: MIT
#include <dszero/text/bit_set.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <set>
#include <vector>

using dszero::BitSet;

TEST_CASE("BitSet: has what was added, in order, across words") {
    const std::set<std::size_t> numbers = {0, 1, 62, 63, 64, 65, 127, 128, 129};
    BitSet<130> set;
    CHECK(set.empty());
    for (auto number = numbers.rbegin(); number != numbers.rend(); ++number) set.add(*number);
    set.add(63);
    CHECK_FALSE(set.empty());
    for (std::size_t number = 0; number < 130; ++number) CHECK(set.has(number) == numbers.contains(number));
    std::vector<std::size_t> seen;
    set.for_each([&](std::size_t number) { seen.push_back(number); });
    CHECK(seen == std::vector<std::size_t>(numbers.begin(), numbers.end()));
}

TEST_CASE("BitSet: sets meet in a number that both have, and one joins the other") {
    BitSet<130> low, high;
    low.add(3);
    high.add(67);  // the same bit of another word
    high.add(129);
    CHECK_FALSE(low.meets(high));
    CHECK_FALSE(low.meets({}));
    low |= high;
    CHECK(low.meets(high));
    CHECK((low.has(3) && low.has(67) && low.has(129)));
}
