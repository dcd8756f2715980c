// SPDX-License-Identifier: MIT
//
// bf16 and fp16: 16-bit storage for numbers that are computed on as float. Conversion
// rounds to nearest, ties to even; infinities, subnormals and the sign of zero are kept,
// and a NaN stays a NaN (quiet, with the upper bits of its payload). convert() does the
// same for spans, at the speed of the memory.
#pragma once

#include <dszero/engine/numeric/simd.hpp>

#include <bit>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace dszero {

/// The upper half of a float: 8 bits of exponent, 7 of mantissa.
struct bf16 {
    std::uint16_t bits;

    bf16() = default;
    explicit bf16(float value);
    operator float() const;  ///< Exact, hence implicit: arithmetic and comparison are float's.

    static constexpr bf16 from_bits(std::uint16_t bits) { return std::bit_cast<bf16>(bits); }
};

/// IEEE binary16: 5 bits of exponent, 10 of mantissa; the largest finite value is 65504.
struct fp16 {
    std::uint16_t bits;

    fp16() = default;
    explicit fp16(float value);
    operator float() const;

    static constexpr fp16 from_bits(std::uint16_t bits) { return std::bit_cast<fp16>(bits); }
};

/// What a weight, a gradient or a message can consist of.
template <typename T>
concept Scalar = std::same_as<T, float> || std::same_as<T, bf16> || std::same_as<T, fp16>;

/// "fp32", "bf16", "fp16".
template <Scalar T>
constexpr std::string_view scalar_name() {
    return std::same_as<T, float> ? "fp32" : std::same_as<T, bf16> ? "bf16" : "fp16";
}

/// to[i] = To(from[i]). Both spans have the same length; they may be the same memory if the
/// types are, and must not overlap otherwise.
template <Scalar From, Scalar To>
void convert(std::span<const From> from, std::span<To> to);

// ---- One vector at a time, for kernels ----

/// N scalars as floats.
template <std::size_t N, Scalar T>
[[gnu::always_inline]] inline Floats<N> load_as_floats(const T* from) {
    if constexpr (std::same_as<T, float>) {
        return Floats<N>::load(from);
    } else if constexpr (std::same_as<T, bf16>) {
        return (Words<N>::load16(from) << 16).as_floats();
    } else {
        const Words<N> half = Words<N>::load16(from);
        const Words<N> magnitude = (half & 0x7fffu) << 13;
        const Words<N> normal = magnitude + (112u << 23);  // the exponents' bias: 127 - 15
        // A subnormal has no implicit one: give it one, then take it away in arithmetic.
        const Words<N> subnormal = ((magnitude + (113u << 23)).as_floats() - Floats<N>(0x1p-14f)).bits();
        const Words<N> infinite = magnitude + (224u << 23);
        // Quiet, as the machine's own instruction makes it.
        const Words<N> special = Words<N>::if_less(magnitude, 0x0f800001u, infinite, infinite | 0x00400000u);
        const Words<N> finite = Words<N>::if_less(magnitude, 0x00800000u, subnormal, normal);
        return (Words<N>::if_less(magnitude, 0x0f800000u, finite, special) | ((half & 0x8000u) << 16))
            .as_floats();
    }
}

/// N floats rounded to a 16-bit type, as the lower halves of words.
template <Scalar T, std::size_t N>
[[gnu::always_inline]] inline Words<N> rounded_bits(const Floats<N>& value) {
    const Words<N> x = value.bits();
    const Words<N> magnitude = x & 0x7fffffffu;
    if constexpr (std::same_as<T, bf16>) {
        const Words<N> rounded = x + 0x7fffu + ((x >> 16) & 1u);  // up from half, ties to the even one
        return Words<N>::if_less(magnitude, 0x7f800001u, rounded, x | 0x00400000u) >> 16;
    } else {
        // Rounding up carries from the mantissa into the exponent, up to infinity.
        const Words<N> normal = (magnitude - (112u << 23) + 0xfffu + ((magnitude >> 13) & 1u)) >> 13;
        // Adding 1/2 leaves a float whose last bit is worth 2^-24, the smallest half: the adder rounds.
        const Words<N> subnormal = (magnitude.as_floats() + Floats<N>(0.5f)).bits() - 0x3f000000u;
        const Words<N> nan = ((magnitude >> 13) & 0x1ffu) | 0x7e00u;
        const Words<N> special = Words<N>::if_less(magnitude, 0x7f800001u, 0x7c00u, nan);
        const Words<N> finite = Words<N>::if_less(magnitude, 113u << 23, subnormal, normal);
        return Words<N>::if_less(magnitude, 143u << 23, finite, special) | ((x >> 16) & 0x8000u);
    }
}

/// N floats, rounded to T.
template <std::size_t N, Scalar T>
[[gnu::always_inline]] inline void store_from_floats(const Floats<N>& value, T* to) {
    if constexpr (std::same_as<T, float>)
        value.store(to);
    else
        rounded_bits<T>(value).store16(to);
}

// ---- Implementation ----

template <Scalar From, Scalar To>
void convert(std::span<const From> from, std::span<To> to) {
    assert(from.size() == to.size());
    if constexpr (std::same_as<From, To>) {
        if (!from.empty()) std::memmove(to.data(), from.data(), from.size_bytes());
    } else {
        vectorised([ from, to ](auto lanes) __attribute__((always_inline)) {
            constexpr std::size_t N = lanes;
            std::size_t i = 0;
            for (; i + N <= from.size(); i += N)
                store_from_floats<N>(load_as_floats<N>(from.data() + i), to.data() + i);
            if (const std::size_t rest = from.size() - i) {  // a padded vector: the same code, the same bits
                From in[N] = {};
                To out[N];
                std::memcpy(in, from.data() + i, rest * sizeof(From));
                store_from_floats<N>(load_as_floats<N>(in), out);
                std::memcpy(to.data() + i, out, rest * sizeof(To));
            }
        });
    }
}

inline bf16::bf16(float value) {
    float lanes[4] = {value};
    bf16 rounded[4];
    store_from_floats<4>(Floats<4>::load(lanes), rounded);
    bits = rounded[0].bits;
}

inline bf16::operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }

inline fp16::fp16(float value) {
    float lanes[4] = {value};
    fp16 rounded[4];
    store_from_floats<4>(Floats<4>::load(lanes), rounded);
    bits = rounded[0].bits;
}

inline fp16::operator float() const {
    const fp16 halves[4] = {*this, {}, {}, {}};
    float lanes[4];
    load_as_floats<4>(halves).store(lanes);
    return lanes[0];
}

}  // namespace dszero
