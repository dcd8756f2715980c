// SPDX-License-Identifier: MIT
//
// Python's numbers and the little arithmetic that DeepSpeed does on a document:
// integers of any size, floats, and what becomes of the two together.
//
//     floor_divide(ExactNumber(7), ExactNumber(2))      // 3
//     floor_divide(ExactNumber(7), ExactNumber(2.0))    // 3.0
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/text/write_json.hpp>

#include <algorithm>
#include <cmath>
#include <compare>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// Python's a // b of floats; b is not 0.
inline double floor_divide(double a, double b) {
    const double rest = std::fmod(a, b);
    double quotient = (a - rest) / b;
    if (rest != 0 && (rest < 0) != (b < 0)) quotient -= 1;
    const double floor = std::floor(quotient);
    return quotient - floor > 0.5 ? floor + 1 : floor;
}

class ExactNumber {
public:
    ExactNumber() = default;
    ExactNumber(std::integral auto integer) : small_(static_cast<std::int64_t>(integer)) {}
    explicit ExactNumber(double real) : is_real_(true), real_(real) {}

    /// The integer that `digits`, -?[0-9]+, spell.
    static ExactNumber spelled(std::string_view digits) {
        const bool negative = digits.starts_with('-');
        Limbs magnitude;
        for (const char digit : digits.substr(negative ? 1 : 0))
            multiply_add(magnitude, 10, static_cast<std::uint32_t>(digit - '0'));
        return of(negative, std::move(magnitude));
    }

    bool is_integer() const { return !is_real_; }

    /// Below, at or above zero; unordered for a NaN.
    std::partial_ordering sign() const {
        if (is_real_) return real_ <=> 0.0;
        if (is_small()) return small_ <=> 0;
        return negative_ ? std::partial_ordering::less : std::partial_ordering::greater;
    }

    /// The nearest float; empty for an integer beyond all floats (OverflowError).
    std::optional<double> real() const {
        if (is_real_) return real_;
        if (is_small()) return static_cast<double>(small_);
        const double magnitude = nearest(large_);
        if (std::isinf(magnitude)) return std::nullopt;
        return negative_ ? -magnitude : magnitude;
    }

    /// As JSON. An integer beyond 64 bits is saturated.
    Json json() const {
        if (is_real_) return json_float(real_);
        if (is_small()) return json_integer(small_);
        return json_integer(negative_ ? least : most);
    }

    /// As Python writes it; a very long integer is cut short.
    std::string str() const {
        if (is_real_ && !std::isfinite(real_)) return std::isnan(real_) ? "nan" : real_ < 0 ? "-inf" : "inf";
        if (is_small()) return write_json(json());
        Limbs rest = large_;
        std::string digits;
        while (!rest.empty()) digits += static_cast<char>('0' + divide_small(rest, 10));
        if (negative_) digits += '-';
        std::reverse(digits.begin(), digits.end());
        return digits.size() <= 40 ? digits : digits.substr(0, 36) + "...";
    }

    /// a * b; empty where Python raises OverflowError.
    friend std::optional<ExactNumber> multiply(const ExactNumber& a, const ExactNumber& b) {
        if (a.is_real_ || b.is_real_) {
            const auto x = a.real(), y = b.real();
            return x && y ? std::optional(ExactNumber(*x * *y)) : std::nullopt;
        }
        std::int64_t product = 0;
        if (a.is_small() && b.is_small() && !__builtin_mul_overflow(a.small_, b.small_, &product))
            return ExactNumber(product);
        const Limbs x = a.limbs(), y = b.limbs();
        Limbs out(x.size() + y.size());
        for (std::size_t i = 0; i < x.size(); ++i) {
            std::uint64_t carry = 0;
            for (std::size_t j = 0; j < y.size(); ++j) {
                carry += std::uint64_t{x[i]} * y[j] + out[i + j];
                out[i + j] = static_cast<std::uint32_t>(carry);
                carry >>= 32;
            }
            out[i + y.size()] = static_cast<std::uint32_t>(carry);
        }
        return of((a.sign() < 0) != (b.sign() < 0), std::move(out));
    }

    /// a // b; empty where Python raises ZeroDivisionError or OverflowError.
    friend std::optional<ExactNumber> floor_divide(const ExactNumber& a, const ExactNumber& b) {
        if (b.sign() == 0) return std::nullopt;
        if (a.is_real_ || b.is_real_) {
            const auto x = a.real(), y = b.real();
            return x && y ? std::optional(ExactNumber(floor_divide(*x, *y))) : std::nullopt;
        }
        if (a.is_small() && b.is_small() && b.small_ > 0) {
            const std::int64_t quotient = a.small_ / b.small_;
            return ExactNumber(a.small_ % b.small_ < 0 ? quotient - 1 : quotient);  // towards minus infinity
        }
        const bool negative = (a.sign() < 0) != (b.sign() < 0);
        auto [quotient, rest] = divide(a.limbs(), b.limbs());
        if (negative && !rest.empty()) multiply_add(quotient, 1, 1);  // towards minus infinity
        return of(negative, std::move(quotient));
    }

    /// a == b, without rounding either.
    friend bool equal(const ExactNumber& a, const ExactNumber& b) {
        if (a.is_real_ && b.is_real_) return a.real_ == b.real_;
        if (a.is_real_) return equal(b, a);
        if (!b.is_real_) return a.small_ == b.small_ && a.negative_ == b.negative_ && a.large_ == b.large_;
        if (!std::isfinite(b.real_) || std::trunc(b.real_) != b.real_) return false;
        int exponent = 0;
        const double mantissa = std::ldexp(std::frexp(std::fabs(b.real_), &exponent), 53);
        Limbs magnitude = ExactNumber(static_cast<std::int64_t>(mantissa)).limbs();
        for (exponent -= 53; exponent > 0; --exponent) multiply_add(magnitude, 2, 0);
        for (; exponent < 0; ++exponent) divide_small(magnitude, 2);  // whole: only zeros go
        return equal(a, of(b.real_ < 0, std::move(magnitude)));
    }

private:
    using Limbs = std::vector<std::uint32_t>;  // the lowest first, no zeros on top
    static constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    static constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();

    static ExactNumber of(bool negative, Limbs magnitude) {
        while (!magnitude.empty() && magnitude.back() == 0) magnitude.pop_back();
        ExactNumber out;
        if (magnitude.size() <= 2) {
            std::uint64_t n = 0;
            for (std::size_t i = magnitude.size(); i-- > 0;) n = n << 32 | magnitude[i];
            if (n <= static_cast<std::uint64_t>(most) + (negative ? 1 : 0)) {
                out.small_ = static_cast<std::int64_t>(negative ? 0 - n : n);
                return out;
            }
        }
        out.negative_ = negative;
        out.large_ = std::move(magnitude);
        return out;
    }
    bool is_small() const { return large_.empty(); }
    Limbs limbs() const {
        if (!is_small()) return large_;
        std::uint64_t n = static_cast<std::uint64_t>(small_);
        if (small_ < 0) n = 0 - n;
        Limbs out;
        for (; n != 0; n >>= 32) out.push_back(static_cast<std::uint32_t>(n));
        return out;
    }

    static void multiply_add(Limbs& limbs, std::uint32_t factor, std::uint32_t summand) {
        std::uint64_t carry = summand;
        for (std::uint32_t& limb : limbs) {
            carry += std::uint64_t{limb} * factor;
            limb = static_cast<std::uint32_t>(carry);
            carry >>= 32;
        }
        if (carry != 0) limbs.push_back(static_cast<std::uint32_t>(carry));
    }
    /// Divides in place; the remainder.
    static std::uint32_t divide_small(Limbs& limbs, std::uint32_t divisor) {
        std::uint64_t rest = 0;
        for (std::size_t i = limbs.size(); i-- > 0;) {
            rest = rest << 32 | limbs[i];
            limbs[i] = static_cast<std::uint32_t>(rest / divisor);
            rest %= divisor;
        }
        while (!limbs.empty() && limbs.back() == 0) limbs.pop_back();
        return static_cast<std::uint32_t>(rest);
    }
    static bool less(const Limbs& a, const Limbs& b) {
        if (a.size() != b.size()) return a.size() < b.size();
        return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
    }
    /// Quotient and remainder, bit by bit: nobody divides long numbers often.
    static std::pair<Limbs, Limbs> divide(const Limbs& a, const Limbs& b) {
        if (b.size() == 1) {
            Limbs quotient = a;
            const std::uint32_t rest = divide_small(quotient, b[0]);
            return {std::move(quotient), rest == 0 ? Limbs() : Limbs{rest}};
        }
        Limbs quotient(a.size()), rest;
        for (std::size_t bit = a.size() * 32; bit-- > 0;) {
            multiply_add(rest, 2, a[bit / 32] >> bit % 32 & 1);
            if (less(rest, b)) continue;
            quotient[bit / 32] |= std::uint32_t{1} << bit % 32;
            std::int64_t borrow = 0;
            for (std::size_t i = 0; i < rest.size(); ++i) {
                borrow += std::int64_t{rest[i]} - (i < b.size() ? std::int64_t{b[i]} : 0);
                rest[i] = static_cast<std::uint32_t>(borrow);
                borrow >>= 32;
            }
            while (!rest.empty() && rest.back() == 0) rest.pop_back();
        }
        return {std::move(quotient), std::move(rest)};
    }
    /// The nearest double, infinity beyond the largest.
    static double nearest(const Limbs& limbs) {
        std::uint64_t top = 0;  // the highest 64 bits, the lowest of them sticky
        const std::size_t bits = limbs.size() * 32 - static_cast<std::size_t>(__builtin_clz(limbs.back()));
        const std::size_t shift = bits > 64 ? bits - 64 : 0;
        bool sticky = false;
        for (std::size_t bit = 0; bit < bits; ++bit) {
            const std::uint64_t set = limbs[bit / 32] >> bit % 32 & 1;
            if (bit >= shift)
                top |= set << (bit - shift);
            else
                sticky = sticky || set != 0;
        }
        return std::ldexp(static_cast<double>(top | (sticky ? 1 : 0)), static_cast<int>(shift));
    }
    bool is_real_ = false, negative_ = false;
    std::int64_t small_ = 0;
    double real_ = 0;
    Limbs large_;  // the magnitude of an integer beyond 64 bits: hardly ever there
};

}  // namespace dszero
