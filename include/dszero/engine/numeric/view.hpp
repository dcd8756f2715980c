// SPDX-License-Identifier: MIT
//
// Memory whose scalar type is known at run time, and what becomes of gradients in
// it: converted, divided, added up. A model's, a gradient's and a message's type
// are three settings; deciding them per call keeps the stages free of twenty-seven
// variants, and costs one switch for thousands of elements.
#pragma once

#include <dszero/engine/numeric/simd.hpp>
#include <dszero/engine/scalar.hpp>

#include <algorithm>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstring>
#include <span>
#include <string_view>
#include <type_traits>

namespace dszero {

enum class ScalarType : unsigned char { fp32, fp16, bf16 };

template <Scalar T>
constexpr ScalarType scalar_type = std::same_as<T, float>  ? ScalarType::fp32
                                   : std::same_as<T, fp16> ? ScalarType::fp16
                                                           : ScalarType::bf16;

constexpr std::size_t size_of(ScalarType type) { return type == ScalarType::fp32 ? 4 : 2; }

/// Calls f with the type as an argument: with_scalar(type, [&](auto t) { using T = typename
/// decltype(t)::type; … }).
template <class F>
constexpr decltype(auto) with_scalar(ScalarType type, F&& f) {
    switch (type) {
        case ScalarType::fp16: return f(std::type_identity<fp16>());
        case ScalarType::bf16: return f(std::type_identity<bf16>());
        default: return f(std::type_identity<float>());
    }
}

constexpr std::string_view to_string(ScalarType type) {
    return with_scalar(type, [](auto t) { return scalar_name<typename decltype(t)::type>(); });
}

/// A stretch of memory that someone else owns.
struct View {
    std::byte* data = nullptr;
    std::size_t elements = 0;
    ScalarType type = ScalarType::fp32;

    View part(std::size_t offset, std::size_t count) const {
        assert(offset <= elements && count <= elements - offset);
        return {data + offset * size_of(type), count, type};
    }
    std::size_t bytes() const { return elements * size_of(type); }
    template <Scalar T>
    std::span<T> as() const {
        assert(type == scalar_type<T>);
        return {reinterpret_cast<T*>(data), elements};
    }
};

inline View as_view(std::span<float> floats) {
    return {reinterpret_cast<std::byte*>(floats.data()), floats.size(), ScalarType::fp32};
}

// ---- Elementwise ----

/// So many elements are converted at a time, in the cache.
inline constexpr std::size_t block_elements = 1024;

/// Calls f with pieces of floats that stand for `from`: its own memory, or a converted copy in the cache.
template <class F>
void for_each_block(View from, const F& f) {
    alignas(64) float copy[block_elements];
    for (std::size_t i = 0; i < from.elements; i += block_elements) {
        const std::size_t count = std::min(block_elements, from.elements - i);
        with_scalar(from.type, [&](auto t) {
            using T = typename decltype(t)::type;
            convert(std::span<const T>(from.part(i, count).as<T>()), std::span<float>(copy, count));
        });
        f(i, std::span<float>(copy, count));
    }
}

/// to[i] = floats[i], rounded.
inline void store(std::span<const float> floats, View to) {
    with_scalar(to.type, [&](auto t) {
        using T = typename decltype(t)::type;
        convert(floats, to.as<T>());
    });
}

/// x[i] as it is after a trip through the type.
inline void round_to(ScalarType type, std::span<float> x) {
    if (type == ScalarType::fp32) return;
    with_scalar(type, [&](auto t) {
        typename decltype(t)::type there[block_elements];
        convert(std::span<const float>(x), std::span(there, x.size()));
        convert(std::span<const typename decltype(t)::type>(there, x.size()), x);
    });
}

/// to[i] = from[i], in to's type.
inline void copy(View from, View to) {
    assert(from.elements == to.elements);
    with_scalar(from.type, [&](auto f) {
        with_scalar(to.type, [&](auto t) {
            using From = typename decltype(f)::type;
            using To = typename decltype(t)::type;
            convert(std::span<const From>(from.as<From>()), to.as<To>());
        });
    });
}

/// x[i] = operation(x[i], others[i]...), for as many lanes as the machine has: `operation` takes float and
/// Floats alike.
template <class Operation, class... Other>
void for_each_lane(std::span<float> x, const Operation& operation, const Other*... others) {
    vectorised([&](auto lanes) __attribute__((always_inline)) {
        constexpr std::size_t N = lanes;
        std::size_t i = 0;
        for (; i + N <= x.size(); i += N)
            operation(Floats<N>::load(x.data() + i), Floats<N>::load(others + i)...).store(x.data() + i);
        for (; i < x.size(); ++i) x[i] = operation(x[i], others[i]...);
    });
}

/// to[i] = operation(from[i]), rounded to to's type; `to` may be `from`.
template <class Operation>
void transform(View from, View to, const Operation& operation) {
    assert(from.elements == to.elements);
    for_each_block(from, [&](std::size_t i, std::span<float> x) {
        for_each_lane(x, operation);
        store(x, to.part(i, x.size()));
    });
}

/// to[i] = from[i] / by, rounded to to's type; `to` may be `from`.
inline void divide(View from, View to, float by) {
    if (by != 1.0f)
        transform(
            from, to, [by](auto x) __attribute__((always_inline)) { return x / by; });
    else if (from.data != to.data)
        copy(from, to);
}

/// x[i] = x[i] * by, rounded to x's type.
inline void multiply(View x, float by) {
    if (by != 1.0f)
        transform(
            x, x, [by](auto value) __attribute__((always_inline)) { return value * by; });
}

/// into[i] = into[i] + from[i], rounded to into's type; from[i] is first rounded to it, as in DeepSpeed.
inline void add(View from, View into) {
    assert(from.elements == into.elements);
    for_each_block(from, [&](std::size_t i, std::span<float> x) {
        if (from.type != into.type) round_to(into.type, x);
        for_each_block(into.part(i, x.size()), [&](std::size_t, std::span<float> sum) {
            for_each_lane(
                sum, [](auto a, auto b) __attribute__((always_inline)) { return a + b; },
                static_cast<const float*>(x.data()));
            store(sum, into.part(i, sum.size()));
        });
    });
}

inline void fill_zero(View x) {
    if (x.elements != 0) std::memset(x.data, 0, x.bytes());
}

}  // namespace dszero
