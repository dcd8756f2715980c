// SPDX-License-Identifier: MIT
//
// Numbers as Python's int() and float() understand them.
// The spelling is ASCII and known to be well-formed: -?digits(.digits)?([eE][-+]?digits)?
// Which spellings are numbers at all is the dialects' business.
#pragma once

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string_view>
#include <system_error>

namespace dszero {

/// int() takes no more digits than these (sys.int_info.default_max_str_digits).
inline constexpr std::size_t max_integer_digits = 4300;

struct Number {
    enum Kind : unsigned char { natural, negative, real } kind;
    std::uint64_t magnitude = 0;  ///< Of a natural or negative number.
    double value = 0;             ///< Of a real one.
};

inline Number real_number(double value) { return {Number::real, 0, value}; }

inline Number whole_number(bool negative, std::uint64_t magnitude) {
    return {negative && magnitude > 0 ? Number::negative : Number::natural, magnitude,
            0};  // no -0 among integers
}

/// The double nearest to a number out of from_chars' range: zero or infinity.
/// Such a number is so large or so small that the place of its first digit tells which.
inline double out_of_range(std::string_view spelled) {
    const bool negative = spelled.front() == '-';
    if (negative) spelled.remove_prefix(1);
    const std::size_t mantissa_size = std::min(spelled.find_first_of("eE"), spelled.size());
    const std::string_view mantissa = spelled.substr(0, mantissa_size);
    const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
    const auto first =
        static_cast<std::int64_t>(std::min(mantissa.find_first_of("123456789"), mantissa.size()));
    bool below_one = first > point;
    if (mantissa_size < spelled.size()) {
        std::string_view exponent = spelled.substr(mantissa_size + 1);
        if (exponent.front() == '+') exponent.remove_prefix(1);
        std::int64_t power = 0;
        const auto parsed = std::from_chars(exponent.data(), exponent.data() + exponent.size(), power);
        below_one = parsed.ec == std::errc{} ? power + point - first < 0 : exponent.front() == '-';
    }
    const double magnitude = below_one ? 0.0 : std::numeric_limits<double>::infinity();
    return negative ? -magnitude : magnitude;
}

/// Python's float(): the nearest double, infinity when it is too large.
inline double to_double(std::string_view spelled) {
    double number = 0;
    const auto parsed = std::from_chars(spelled.data(), spelled.data() + spelled.size(), number);
    return parsed.ec == std::errc::result_out_of_range ? out_of_range(spelled) : number;
}

/// Python's int(), as far as 64 bits reach; beyond them the nearest double.
inline Number to_integer(std::string_view spelled) {
    const bool negative = spelled.front() == '-';
    const std::string_view digits = spelled.substr(negative ? 1 : 0);
    std::uint64_t magnitude = 0;
    if (digits.size() < 20) {  // cannot overflow
        for (const char digit : digits) magnitude = magnitude * 10 + static_cast<std::uint64_t>(digit - '0');
    } else {
        const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), magnitude);
        if (parsed.ec != std::errc{}) return real_number(to_double(spelled));
    }
    const bool fits = !negative || magnitude <= std::uint64_t{1} << 63;
    return fits ? whole_number(negative, magnitude) : real_number(to_double(spelled));
}

}  // namespace dszero
