// SPDX-License-Identifier: MIT
//
// A JSON value -> a C++ value, as pydantic would: version 1.10 under releases
// before 0.15.0, version 2 from there on. Pure functions; what to say about a
// refusal is member_types.hpp's business.
// Sources: pydantic 1.10 validators.py; pydantic-core's lax mode, by asking it.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/number.hpp>
#include <dszero/text/tree.hpp>
#include <dszero/text/unicode.hpp>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// Why a value was not taken.
enum class Refusal : unsigned char {
    none,
    kind,        ///< no such kind of value here
    spelling,    ///< a string that does not spell one
    fraction,    ///< a fractional number for an integer
    not_finite,  ///< an infinity or a NaN for an integer
    too_large,   ///< beyond what pydantic converts
};

template <class T>
struct Coerced {
    Refusal refusal = Refusal::none;
    T value{};
    bool saturated = false;  ///< DeepSpeed holds a larger integer than `value`
    bool truncated = false;  ///< a fraction was cut off

    explicit operator bool() const { return refusal == Refusal::none; }
};

/// A number as Python has it: an integer of any size, or a float.
struct PythonNumber {
    bool is_integer = false;
    bool saturated = false;  ///< the integer is beyond 64 bits
    std::int64_t integer = 0;
    double real = 0;  ///< also of an integer, rounded
};

/// What `json`, a number written as `spelled`, is in Python.
inline PythonNumber python_number(const Json& json, std::string_view spelled) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    if (json.is_number_unsigned()) {
        const auto n = *json.get_ptr<const Json::number_unsigned_t*>();
        const bool large = n > static_cast<std::uint64_t>(most);
        return {true, large, large ? most : static_cast<std::int64_t>(n), static_cast<double>(n)};
    }
    if (json.is_number_integer()) {
        const std::int64_t n = *json.get_ptr<const Json::number_integer_t*>();
        return {true, false, n, static_cast<double>(n)};
    }
    const double real = *json.get_ptr<const Json::number_float_t*>();
    if (is_big_integer(json, spelled)) return {true, true, real < 0 ? least : most, real};
    return {false, false, 0, real};
}

/// The text without the blanks around it that int(), float() and pydantic 2 pass over: all of str.strip()'s
/// save four control characters.
inline std::string_view strip_around_number(std::string_view text) {
    const auto is_separator = [](char c) { return c >= 0x1C && c <= 0x1F; };  // blanks to str.strip() only
    std::string_view inner = strip(text);
    // such a character in the margin: it and the text cannot be a number
    const char* begin = inner.data();
    const char* end = inner.data() + inner.size();
    for (const char* p = text.data(); p < begin; ++p)
        if (is_separator(*p)) return text;
    for (const char* p = end; p < text.data() + text.size(); ++p)
        if (is_separator(*p)) return text;
    return inner;
}

/// Reads -?digits with single underscores between the digits, all of the text.
inline Coerced<std::int64_t> read_digits(std::string_view text, bool negative) {
    constexpr std::int64_t most = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    Coerced<std::int64_t> result;
    std::size_t significant = 0;
    bool digit_before = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool digit = c >= '0' && c <= '9';
        if (!digit && !(c == '_' && digit_before && i + 1 < text.size()))
            return {.refusal = Refusal::spelling};
        digit_before = digit;
        if (!digit || (c == '0' && significant == 0)) continue;
        ++significant;
        const std::int64_t step = negative ? '0' - c : c - '0';
        if (result.saturated || __builtin_mul_overflow(result.value, 10, &result.value) ||
            __builtin_add_overflow(result.value, step, &result.value)) {
            result.value = negative ? least : most;
            result.saturated = true;
        }
    }
    if (text.empty() || significant > max_integer_digits) return {.refusal = Refusal::spelling};
    return result;
}

/// pydantic 2 strips leading zeros in a way of its own: behind a first zero it passes over zeros and
/// underscores, however many, up to a digit or a minus sign, which it takes for the number's. False where it
/// gives up.
inline bool strip_leading_zeros(std::string_view& digits, bool& negative) {
    if (digits.empty() || digits[0] < '0' || digits[0] > '9') return false;
    if (digits[0] != '0') return true;
    const std::size_t end = digits.find_first_not_of("0_");
    if (end == std::string_view::npos) {
        digits = digits.substr(digits.size() - 1);
        return true;
    }
    digits.remove_prefix(end);
    if (digits[0] != '-') return true;
    if (negative) return false;
    negative = true;
    digits.remove_prefix(digits.starts_with("-_") ? 2 : 1);
    return !digits.starts_with('0') || digits.size() == 1;  // what follows is read as JSON reads integers
}

/// An integer in a string, as int() or pydantic 2 read it.
inline Coerced<std::int64_t> integer_in_string(std::string_view written, const Behaviour& behaviour) {
    const bool pydantic_2 = behaviour.pydantic_2;
    if (!pydantic_2 && count_characters(written) > max_integer_digits) return {.refusal = Refusal::spelling};
    const std::string_view stripped = strip_around_number(written);
    const std::string ascii = pydantic_2 ? std::string() : ascii_digits(stripped);
    std::string_view text = pydantic_2 ? stripped : std::string_view(ascii);
    bool negative = text.starts_with('-');
    if (negative || text.starts_with('+')) text.remove_prefix(1);
    if (!pydantic_2) return read_digits(text, negative);
    // "3.00" is 3
    const std::size_t point = text.find('.');
    if (point != std::string_view::npos && point + 1 < text.size() &&
        text.find_first_not_of('0', point + 1) == text.npos)
        text = text.substr(0, point);
    if (!strip_leading_zeros(text, negative)) return {.refusal = Refusal::spelling};
    return read_digits(text, negative);
}

/// An unsigned decimal number: digits, a point with a digit on either side, an exponent.
inline bool read_unsigned_real(std::string_view text, double& out) {
    const auto count_digits = [&](std::size_t from) {
        std::size_t end = from;
        while (end < text.size() && text[end] >= '0' && text[end] <= '9') ++end;
        return end - from;
    };
    std::size_t at = count_digits(0);
    std::size_t digits = at;
    if (at < text.size() && text[at] == '.') {
        const std::size_t fraction = count_digits(at + 1);
        digits += fraction;
        at += 1 + fraction;
    }
    if (digits == 0) return false;
    if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
        const bool sign = at + 1 < text.size() && (text[at + 1] == '+' || text[at + 1] == '-');
        const std::size_t exponent = count_digits(at + 1 + sign);
        if (exponent == 0) return false;
        at += 1 + sign + exponent;
    }
    if (at != text.size()) return false;
    out = to_double(text);
    return true;
}

inline std::string to_lower(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

/// The text without its underscores; false where one stands in a wrong place.
/// float() wants a digit on both sides, pydantic 2 anything but another underscore.
inline bool drop_underscores(std::string& text, const Behaviour& behaviour) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '_') {
            plain += text[i];
            continue;
        }
        if (i == 0 || i + 1 == text.size() || text[i + 1] == '_') return false;
        if (!behaviour.pydantic_2 && !(is_digit(text[i - 1]) && is_digit(text[i + 1]))) return false;
    }
    text = std::move(plain);
    return true;
}

/// A float in a string, as float() or pydantic 2 read it.
inline Coerced<double> real_in_string(std::string_view written, const Behaviour& behaviour) {
    const Coerced<double> refused{.refusal = Refusal::spelling};
    const std::string_view stripped = strip_around_number(written);
    std::string text = behaviour.pydantic_2 ? std::string(stripped) : ascii_digits(stripped);
    const bool underscores = text.find('_') != std::string::npos;
    if (underscores && behaviour.pydantic_2 && stripped.size() != written.size()) return refused;  // not both
    if (!drop_underscores(text, behaviour)) return refused;
    const bool negative = text.starts_with('-');
    const std::string body =
        to_lower(std::string_view(text).substr(negative || text.starts_with('+') ? 1 : 0));
    double magnitude = 0;
    if (body == "inf" || body == "infinity")
        magnitude = std::numeric_limits<double>::infinity();
    else if (body == "nan")
        magnitude = std::numeric_limits<double>::quiet_NaN();
    else if (!read_unsigned_real(body, magnitude))
        return refused;
    return {.value = negative ? -magnitude : magnitude};
}

inline Coerced<std::int64_t> to_integer(const Json& json, std::string_view spelled,
                                        const Behaviour& behaviour) {
    if (json.is_boolean()) return {.value = boolean_in(json) ? 1 : 0};
    if (json.is_string()) return integer_in_string(string_in(json), behaviour);
    if (!json.is_number()) return {.refusal = Refusal::kind};
    const PythonNumber n = python_number(json, spelled);
    if (n.is_integer) return {.value = n.integer, .saturated = n.saturated};
    if (!std::isfinite(n.real)) return {.refusal = Refusal::not_finite};
    const double whole = std::trunc(n.real);
    if (behaviour.pydantic_2 && whole != n.real) return {.refusal = Refusal::fraction};
    if (std::fabs(whole) < 0x1p63)
        return {.value = static_cast<std::int64_t>(whole), .truncated = whole != n.real};
    if (behaviour.pydantic_2) return {.refusal = Refusal::too_large};
    return {.value = whole < 0 ? std::numeric_limits<std::int64_t>::min()
                               : std::numeric_limits<std::int64_t>::max(),
            .saturated = true};
}

inline Coerced<double> to_real(const Json& json, std::string_view spelled, const Behaviour& behaviour) {
    if (json.is_boolean()) return {.value = boolean_in(json) ? 1.0 : 0.0};
    if (json.is_string()) return real_in_string(string_in(json), behaviour);
    if (!json.is_number()) return {.refusal = Refusal::kind};
    const PythonNumber n = python_number(json, spelled);
    if (n.is_integer && std::isinf(n.real)) return {.refusal = Refusal::too_large};
    return {.value = n.real};
}

/// The words that both versions of pydantic take for a boolean, in any case.
inline Coerced<bool> boolean_in_string(std::string_view text) {
    constexpr std::string_view yes[] = {"1", "true", "t", "yes", "y", "on"};
    constexpr std::string_view no[] = {"0", "false", "f", "no", "n", "off"};
    const std::string lower = to_lower(text);
    for (std::string_view word : yes)
        if (lower == word) return {.value = true};
    for (std::string_view word : no)
        if (lower == word) return {.value = false};
    return {.refusal = Refusal::spelling};
}

inline Coerced<bool> to_boolean(const Json& json, std::string_view spelled) {
    if (json.is_boolean()) return {.value = boolean_in(json)};
    if (json.is_string()) return boolean_in_string(string_in(json));
    if (!json.is_number()) return {.refusal = Refusal::kind};
    const PythonNumber n = python_number(json, spelled);
    if (n.saturated || (n.real != 0 && n.real != 1)) return {.refusal = Refusal::kind};
    return {.value = n.real == 1};
}

/// str(pathlib.PurePosixPath(text)): "" is ".", "a//b/./c/" is "a/b/c", a leading "//" stays.
inline std::string normal_path(std::string_view text) {
    const std::size_t slashes = std::min(text.find_first_not_of('/'), text.size());
    std::string out(slashes == 2 ? "//" : slashes ? "/" : "");
    const std::size_t root = out.size();
    for (std::size_t i = slashes; i < text.size();) {
        const std::size_t end = std::min(text.find('/', i), text.size());
        const std::string_view part = text.substr(i, end - i);
        if (!part.empty() && part != ".") {
            if (out.size() > root) out += '/';
            out += part;
        }
        i = end + 1;
    }
    return out.empty() ? "." : out;
}

/// Whether Python finds the value true.
inline bool is_truthy(const Json& json) {
    if (json.is_boolean()) return boolean_in(json);
    if (json.is_string()) return !string_in(json).empty();
    if (json.is_number()) return python_number(json, {}).real != 0;
    return !json.is_null() && !json.empty();
}

}  // namespace dszero
