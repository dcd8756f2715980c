// SPDX-License-Identifier: MIT
//
// The sum of the squares of floats, exactly: whatever the order in which they came, the
// piece they were in and the rank that had them, the result is the same to the last bit.
// So the global norm does not depend on who owns what. It notices infinities and NaNs in
// passing, which is the overflow check.
//
// The square of a float is an integer of 48 bits times an even power of two. Squares are
// added up per exponent, in integers, and what comes together goes into one long number.
#pragma once

#include <dszero/engine/scalar.hpp>
#include <dszero/engine/threads/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <mutex>
#include <span>

namespace dszero {

class ExactSum {
public:
    template <Scalar T>
    void add_squares(std::span<const T> values);
    void merge(const ExactSum& other);

    /// Whether all values were finite.
    bool finite() const { return finite_; }
    /// The sum, rounded once; infinity if a value was not finite.
    double value() const;

    friend bool operator==(const ExactSum&, const ExactSum&) = default;

private:
    static constexpr std::size_t exponents = 256;
    static constexpr std::size_t lanes =
        8;  ///< Sums per exponent, so that neighbours do not wait for each other.
    /// An integer under 2^48 can be added this often to 64 bits.
    static constexpr std::size_t most_additions = std::size_t{1} << 16;
    static constexpr std::size_t block = 256;     ///< Elements taken apart at a time.
    static constexpr int lowest_exponent = -298;  ///< The smallest float, 2^-149, squared.

    struct Sums {
        alignas(64) std::uint64_t of[exponents][lanes] = {};
    };

    void add(const Sums& sums);
    void carry();

    /// 32 bits each, the lowest first, worth 2^lowest_exponent: up to 2^128 squared, 2^86 times.
    std::array<std::uint64_t, 20> digits_{};
    bool finite_ = true;
};

/// The squares of `values`, with the help of a pool.
template <Scalar T>
ExactSum sum_of_squares(ThreadPool& pool, std::span<const T> values) {
    ExactSum sum;
    std::mutex mutex;
    pool.parallel_for(
        values.size(),
        [&](std::size_t begin, std::size_t elements) {
            ExactSum part;
            part.add_squares(values.subspan(begin, elements));
            const std::lock_guard lock(mutex);
            sum.merge(part);
        },
        std::size_t{1} << 20);
    return sum;
}

// ---- Implementation ----

template <Scalar T>
void ExactSum::add_squares(std::span<const T> values) {
    while (!values.empty()) {
        const std::span<const T> part = values.first(std::min(values.size(), most_additions * lanes));
        values = values.subspan(part.size());
        Sums sums;
        vectorised([&sums, part ](auto vector_lanes) __attribute__((always_inline)) {
            constexpr std::size_t N = vector_lanes;
            T padded[block] = {};
            std::uint32_t mantissas[block];
            std::uint32_t exponents_of[block];
            for (std::size_t begin = 0; begin < part.size(); begin += block) {
                const T* from = part.data() + begin;
                if (part.size() - begin < block) {  // padded with zeros, which add nothing
                    std::memcpy(padded, from, (part.size() - begin) * sizeof(T));
                    from = padded;
                }
                for (std::size_t i = 0; i < block; i += N) {
                    const Words<N> magnitude = load_as_floats<N>(from + i).bits() & 0x7fffffffu;
                    const Words<N> implicit_one = Words<N>::if_less(magnitude, 0x00800000u, 0u, 0x00800000u);
                    ((magnitude & 0x007fffffu) | implicit_one).store(mantissas + i);
                    (magnitude >> 23).store(exponents_of + i);
                }
                for (std::size_t i = 0; i < block; i += lanes)
                    for (std::size_t lane = 0; lane < lanes; ++lane) {
                        const std::uint64_t mantissa = mantissas[i + lane];
                        sums.of[exponents_of[i + lane]][lane] += mantissa * mantissa;
                    }
            }
        });
        add(sums);
    }
}

inline void ExactSum::add(const Sums& sums) {
    for (std::size_t exponent = 0; exponent < exponents; ++exponent) {
        for (const std::uint64_t sum : sums.of[exponent]) {
            if (sum == 0) continue;
            if (exponent == exponents - 1) {
                finite_ = false;
                break;
            }
            // Subnormals (exponent 0) have the place value of exponent 1.
            const std::size_t shift = 2 * (std::max<std::size_t>(exponent, 1) - 1);
            const std::size_t at = shift / 32;
            const std::uint64_t low = (sum & 0xffffffffu) << (shift % 32);
            const std::uint64_t high = (sum >> 32) << (shift % 32);
            digits_[at] += low & 0xffffffffu;
            digits_[at + 1] += (low >> 32) + (high & 0xffffffffu);
            digits_[at + 2] += high >> 32;
        }
    }
    carry();
}

inline void ExactSum::carry() {
    std::uint64_t carried = 0;
    for (std::uint64_t& digit : digits_) {
        digit += carried;
        carried = digit >> 32;
        digit &= 0xffffffffu;
    }
}

inline void ExactSum::merge(const ExactSum& other) {
    for (std::size_t i = 0; i < digits_.size(); ++i) digits_[i] += other.digits_[i];
    finite_ = finite_ && other.finite_;
    carry();
}

inline double ExactSum::value() const {
    if (!finite_) return std::numeric_limits<double>::infinity();
    std::size_t top = digits_.size();
    while (top > 0 && digits_[top - 1] == 0) --top;
    if (top == 0) return 0;
    const auto digit = [&](std::size_t below_top) {
        return below_top < top ? digits_[top - 1 - below_top] : 0;
    };
    // The upper 64 bits, the last of them set if anything follows: then one rounding is enough.
    const int empty = std::countl_zero(digit(0)) - 32;
    std::uint64_t upper = ((digit(0) << 32 | digit(1)) << empty) | (digit(2) << empty >> 32);
    bool more = (digit(2) << empty & 0xffffffffu) != 0;
    for (std::size_t i = 3; i < top; ++i) more = more || digit(i) != 0;
    upper |= more ? 1u : 0u;
    const int exponent = lowest_exponent + 32 * (static_cast<int>(top) - 2) - empty;
    return std::ldexp(static_cast<double>(upper), exponent);
}

}  // namespace dszero
