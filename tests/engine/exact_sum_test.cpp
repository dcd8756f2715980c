// SPDX-License-Identifier: MIT
#include <dszero/engine/numeric/exact_sum.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <random>
#include <span>
#include <vector>

using dszero::ExactSum;

namespace {

template <typename T>
ExactSum squares(const std::vector<T>& values) {
    ExactSum sum;
    sum.add_squares(std::span<const T>(values));
    return sum;
}

/// Of all finite exponents alike: the worst that a sum can meet.
std::vector<float> any_floats(std::size_t count) {
    std::mt19937 random(4);
    std::vector<float> values;
    while (values.size() < count) {
        const float value = std::bit_cast<float>(static_cast<std::uint32_t>(random()));
        if (std::isfinite(value)) values.push_back(value);
    }
    return values;
}

}  // namespace

TEST_CASE("exact sum: nothing is zero") {
    CHECK(ExactSum().value() == 0);
    CHECK(squares(std::vector<float>(1000, -0.0f)).value() == 0);
    CHECK(squares(std::vector<float>{}) == ExactSum());
}

TEST_CASE("exact sum: the square of every kind of float is exact") {
    for (const float value :
         {1.0f, -3.0f, 0.1f, 1e-20f, 1e20f, std::numeric_limits<float>::max(),
          std::numeric_limits<float>::min(), std::numeric_limits<float>::denorm_min(),
          std::nextafter(1.0f, 2.0f), std::nextafter(std::numeric_limits<float>::min(), 0.0f)}) {
        INFO(value);
        CHECK(squares(std::vector<float>{value}).value() == static_cast<double>(value) * value);
    }
}

TEST_CASE("exact sum: what cancels in doubles is kept") {
    // 1e15 squared is 1e30: a double forgets the ones beside it.
    std::vector<float> values(100, 1.0f);
    values.push_back(0x1p100f);
    const ExactSum big = squares(values);
    ExactSum same = squares(std::vector<float>{0x1p100f});
    CHECK_FALSE(big == same);
    same.merge(squares(std::vector<float>(100, -1.0f)));
    CHECK(big == same);
}

TEST_CASE("exact sum: rounds once, from halfway to the even one") {
    std::vector<float> values{0x1p53f, 0x1p26f, 0x1p26f};  // 2^106 + 2 * 2^52, halfway is 2^53
    CHECK(squares(values).value() == 0x1p106);
    values.push_back(0x1p-140f);
    CHECK(squares(values).value() == std::nextafter(0x1p106, 0x1p107));
}

TEST_CASE("exact sum: order, pieces and merging do not matter") {
    std::vector<float> values = any_floats(100'003);
    const ExactSum whole = squares(values);
    std::shuffle(values.begin(), values.end(), std::mt19937(5));
    CHECK(squares(values) == whole);
    for (const std::size_t piece : {1u, 7u, 256u, 1000u, 50'000u}) {
        ExactSum merged;
        for (std::size_t i = 0; i < values.size(); i += piece) {
            ExactSum part;
            part.add_squares(std::span<const float>(values).subspan(i, std::min(piece, values.size() - i)));
            merged.merge(part);
        }
        CHECK(merged == whole);
    }
    for_each_instruction_set([&] { CHECK(squares(values) == whole); });
    dszero::ThreadPool pool(3);
    CHECK(dszero::sum_of_squares(pool, std::span<const float>(values)) == whole);
}

TEST_CASE("exact sum: millions of the largest mantissa do not overflow") {
    const float value = std::nextafter(2.0f, 1.0f);  // 0xffffff * 2^-23
    const std::size_t million = std::size_t{1} << 20;
    const ExactSum sum = squares(std::vector<float>(3 * million, value));
    const std::uint64_t square = std::uint64_t{0xffffff} * 0xffffff;
    CHECK(sum.value() == std::ldexp(static_cast<double>(3 * square), 20 - 46));
    ExactSum merged;
    for (std::size_t i = 0; i < 3; ++i) merged.merge(squares(std::vector<float>(million, value)));
    CHECK(merged == sum);
}

TEST_CASE("exact sum: an infinity or a NaN is noticed, alone, among others and after a merge") {
    for (const float special :
         {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
          std::numeric_limits<float>::quiet_NaN()}) {
        std::vector<float> values(1001, 1.0f);
        values[1000] = special;
        const ExactSum sum = squares(values);
        CHECK_FALSE(sum.finite());
        CHECK(std::isinf(sum.value()));
        ExactSum merged = squares(std::vector<float>{1.0f});
        CHECK(merged.finite());
        merged.merge(sum);
        CHECK_FALSE(merged.finite());
    }
}

TEMPLATE_TEST_CASE("exact sum: 16-bit values count as the floats they stand for", "", dszero::bf16,
                   dszero::fp16) {
    std::vector<TestType> values;
    std::vector<float> floats;
    for (std::uint32_t bits = 0; bits < 65536; ++bits) {
        const TestType value = TestType::from_bits(static_cast<std::uint16_t>(bits));
        if (!std::isfinite(static_cast<float>(value))) continue;
        values.push_back(value);
        floats.push_back(value);
    }
    CHECK(squares(values) == squares(floats));
}
