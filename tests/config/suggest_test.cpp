// SPDX-License-Identifier: MIT
#include <dszero/config/suggest.hpp>

#include "support/catch.hpp"

#include <algorithm>
#include <random>
#include <string>
#include <vector>

using namespace dszero;

namespace {

/// The distance by its definition: a table over all beginnings of the two words.
std::size_t distance_by_table(const std::string& a, const std::string& b) {
    std::vector<std::vector<std::size_t>> least(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i)
        for (std::size_t j = 0; j <= b.size(); ++j) {
            least[i][j] = i + j;
            if (i == 0 || j == 0) continue;
            const auto same = [&](std::size_t x, std::size_t y) { return fold(a[x]) == fold(b[y]); };
            least[i][j] = std::min({least[i - 1][j] + 1, least[i][j - 1] + 1,
                                    least[i - 1][j - 1] + (same(i - 1, j - 1) ? 0 : 1)});
            if (i > 1 && j > 1 && same(i - 1, j - 2) && same(i - 2, j - 1))
                least[i][j] = std::min(least[i][j], least[i - 2][j - 2] + 1);
        }
    return least[a.size()][b.size()];
}

std::string mutated(std::string word, std::mt19937& random) {
    for (auto changes = random() % 5; changes > 0 && !word.empty(); --changes) {
        const std::size_t at = random() % word.size();
        const char letter = "abA_-z"[random() % 6];
        switch (random() % 4) {
            case 0: word.erase(at, 1); break;
            case 1: word.insert(at, 1, letter); break;
            case 2: word[at] = letter; break;
            default: std::swap(word[at], word[std::min(at + 1, word.size() - 1)]);
        }
    }
    return word;
}

}  // namespace

TEST_CASE("the edit distance is that of its definition, up to the limit") {
    std::mt19937 random(11);
    std::size_t within = 0;
    for (int i = 0; i < 20000; ++i) {
        std::string word;
        for (auto size = random() % (i % 10 == 0 ? 65 : 14); size > 0; --size) word += "aBc_-d"[random() % 6];
        const std::string other = mutated(word, random);
        if (other.size() > 64) continue;
        const std::size_t limit = random() % 6;
        const std::size_t expected = std::min(distance_by_table(word, other), limit + 1);
        within += expected <= limit;
        INFO(word << " and " << other << ", limit " << limit);
        REQUIRE(edit_distance(word, other, limit) == expected);
    }
    CHECK(within > 5000);
    CHECK(edit_distance(std::string(65, 'a'), std::string(65, 'a'), 3) == 4);  // longer than any key
}

TEST_CASE("no word within the limit is passed over for its letters") {
    std::mt19937 random(12);
    for (int i = 0; i < 20000; ++i) {
        std::string name;
        for (auto size = 4 + random() % 20; size > 0; --size) name += "aaabcde_"[random() % 8];
        const std::string written = mutated(name, random);
        const std::size_t limit = most_differences(written.size(), name.size());
        Nearest nearest(written);
        nearest.consider(name);
        INFO(written << " for " << name);
        REQUIRE(nearest.name().empty() == (distance_by_table(written, name) > limit));
    }
}
