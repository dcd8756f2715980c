// SPDX-License-Identifier: MIT
#include <dszero/engine/scalar.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <vector>

using dszero::bf16;
using dszero::convert;
using dszero::fp16;

namespace {

/// What a half is worth, by its definition.
double value_of(fp16 half) {
    const int sign = half.bits >> 15 ? -1 : 1;
    const int exponent = (half.bits >> 10) & 0x1f;
    const int mantissa = half.bits & 0x3ff;
    if (exponent == 0x1f)
        return mantissa ? std::numeric_limits<double>::quiet_NaN()
                        : sign * std::numeric_limits<double>::infinity();
    return sign * (exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25));
}

double value_of(bf16 number) { return std::bit_cast<float>(static_cast<std::uint32_t>(number.bits) << 16); }

template <typename T>
std::vector<T> all_values() {
    std::vector<T> all;
    for (std::uint32_t bits = 0; bits < 65536; ++bits)
        all.push_back(T::from_bits(static_cast<std::uint16_t>(bits)));
    return all;
}

template <typename To, typename From>
std::vector<To> converted(const std::vector<From>& from) {
    std::vector<To> to(from.size());
    convert(std::span<const From>(from), std::span<To>(to));
    return to;
}

/// Between `low` and the next value up, the halfway point and its neighbours.
template <typename T>
void check_rounding(T low, std::vector<float>& inputs, std::vector<T>& expected) {
    const T high = T::from_bits(static_cast<std::uint16_t>(low.bits + 1));
    const T even = (low.bits & 1) == 0 ? low : high;
    // The largest finite value rounds up as if the exponents went on.
    const double above =
        std::isinf(value_of(high))
            ? 2 * value_of(low) - value_of(T::from_bits(static_cast<std::uint16_t>(low.bits - 1)))
            : value_of(high);
    const float half = static_cast<float>((value_of(low) + above) / 2);
    const float infinity = std::numeric_limits<float>::infinity();
    const bool negative = (low.bits >> 15) != 0;
    for (const auto& [input, result] :
         {std::pair{half, even}, std::pair{std::nextafter(half, negative ? infinity : -infinity), low},
          std::pair{std::nextafter(half, negative ? -infinity : infinity), high}}) {
        inputs.push_back(input);
        expected.push_back(result);
    }
}

template <typename T>
std::vector<std::uint16_t> bits_of(const std::vector<T>& values) {
    std::vector<std::uint16_t> bits;
    for (const T& value : values) bits.push_back(value.bits);
    return bits;
}

}  // namespace

TEMPLATE_TEST_CASE("16-bit scalars: all 65536 become the float they stand for, and come back", "", bf16,
                   fp16) {
    for_each_instruction_set([] {
        const std::vector<TestType> all = all_values<TestType>();
        const std::vector<float> floats = converted<float>(all);
        const std::vector<TestType> back = converted<TestType>(floats);
        std::size_t wrong = 0;
        for (std::size_t i = 0; i < all.size(); ++i) {
            const double expected = value_of(all[i]);
            if (std::isnan(expected)) {
                wrong += !std::isnan(floats[i]) || std::signbit(floats[i]) != (i >> 15 != 0);
                wrong += !std::isnan(value_of(back[i])) || (back[i].bits | all[i].bits) != back[i].bits;
            } else {
                wrong += std::bit_cast<std::uint32_t>(floats[i]) !=
                         std::bit_cast<std::uint32_t>(static_cast<float>(expected));
                wrong += back[i].bits != all[i].bits;
            }
        }
        CHECK(wrong == 0);
    });
}

TEMPLATE_TEST_CASE("16-bit scalars: rounding goes to the nearest, and from halfway to the even one", "", bf16,
                   fp16) {
    std::vector<float> inputs;
    std::vector<TestType> expected;
    for (const TestType low : all_values<TestType>())
        if (std::isfinite(value_of(low))) check_rounding(low, inputs, expected);
    for_each_instruction_set([&] { CHECK(bits_of(converted<TestType>(inputs)) == bits_of(expected)); });
}

TEMPLATE_TEST_CASE("16-bit scalars: one value converts as it does among others", "", bf16, fp16) {
    for (std::uint32_t bits = 0; bits < 0xffff0000u; bits += 65521) {
        const float value = std::bit_cast<float>(bits);
        const std::vector<TestType> many = converted<TestType>(std::vector<float>(16, value));
        REQUIRE(TestType(value).bits == many[0].bits);
        REQUIRE(std::bit_cast<std::uint32_t>(static_cast<float>(many[0])) ==
                std::bit_cast<std::uint32_t>(converted<float>(many)[0]));
    }
}

TEMPLATE_TEST_CASE("16-bit scalars: any length converts all of it, and nothing else", "", bf16, fp16) {
    for_each_instruction_set([] {
        for (std::size_t length = 0; length <= 67; ++length) {
            std::vector<float> from(length);
            for (std::size_t i = 0; i < length; ++i) from[i] = static_cast<float>(i) / 4;
            std::vector<TestType> to(length + 1, TestType(-1.0f));
            convert(std::span<const float>(from), std::span(to).first(length));
            for (std::size_t i = 0; i < length; ++i) REQUIRE(to[i] == from[i]);
            REQUIRE(to[length] == -1.0f);
        }
    });
}

TEST_CASE("fp16: beyond 65504 lies infinity, and a NaN stays a NaN") {
    CHECK(fp16(65504.0f) == 65504.0f);
    CHECK(fp16(65519.996f) == 65504.0f);
    CHECK(std::isinf(fp16(65520.0f)));
    CHECK(std::isinf(fp16(std::numeric_limits<float>::infinity())));
    CHECK(std::isnan(fp16(std::bit_cast<float>(0x7f800001u))));
    CHECK(fp16(0x1p-25f).bits == 0);
    CHECK(fp16(std::nextafter(0x1p-25f, 1.0f)).bits == 1);
    CHECK(fp16(-0.0f).bits == 0x8000);
}

TEST_CASE("bf16: a NaN whose payload would be cut off stays a NaN") {
    CHECK(std::isnan(bf16(std::bit_cast<float>(0x7f800001u))));
    CHECK(std::isinf(bf16(std::numeric_limits<float>::max())));
    CHECK(bf16(-0.0f).bits == 0x8000);
}
