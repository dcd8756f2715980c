// SPDX-License-Identifier: MIT
#include <dszero/text/small_vector.hpp>

#include "support/catch.hpp"

#include <cstddef>
#include <stdexcept>
#include <utility>
#include <vector>

using dszero::SmallVector;
using Small = SmallVector<int, 3>;

namespace {

Small counted(int size) {
    Small list;
    for (int i = 0; i < size; ++i) list.push_back(i);
    return list;
}

std::vector<int> elements(const Small& list) { return {list.begin(), list.end()}; }

}  // namespace

TEST_CASE("SmallVector: holds what was appended, inside itself and beyond") {
    for (int size : {0, 1, 3, 4, 7, 1000}) {
        const Small list = counted(size);
        REQUIRE(list.size() == static_cast<std::size_t>(size));
        CHECK(list.empty() == (size == 0));
        for (int i = 0; i < size; ++i) CHECK(list[static_cast<std::size_t>(i)] == i);
        if (size > 0) CHECK(list.back() == size - 1);
        CHECK_THROWS_AS(list.at(static_cast<std::size_t>(size)), std::out_of_range);
    }
}

TEST_CASE("SmallVector: a copy is equal and independent, assigned over any other") {
    for (int size : {0, 2, 3, 9})
        for (int before : {0, 3, 8}) {
            const Small list = counted(size);
            Small copy = counted(before);
            copy = list;
            CHECK(elements(copy) == elements(list));
            copy.push_back(-1);
            CHECK(copy.back() == -1);
            CHECK(elements(list) == elements(counted(size)));
            Small& same = copy;
            copy = same;
            CHECK(copy.size() == list.size() + 1);
        }
}

TEST_CASE("SmallVector: moving takes the elements and leaves a list that can be used again") {
    for (int size : {0, 2, 3, 9})
        for (int before : {0, 3, 8}) {
            Small list = counted(size);
            Small other = counted(before);
            other = std::move(list);
            CHECK(elements(other) == elements(counted(size)));
            list = counted(5);
            CHECK(elements(list) == elements(counted(5)));
            Small third(std::move(list));
            for (int i = 0; i < 6; ++i) list.push_back(i);
            CHECK(elements(list) == elements(counted(6)));
            CHECK(elements(third) == elements(counted(5)));
        }
}

TEST_CASE("SmallVector: its own element can be appended while it grows; a cut list grows again") {
    Small list = counted(3);
    list.push_back(list[1]);
    CHECK(elements(list) == std::vector<int>{0, 1, 2, 1});
    list.truncate(1);
    list.push_back(5);
    list.pop_back();
    CHECK(elements(list) == std::vector<int>{0});
}
