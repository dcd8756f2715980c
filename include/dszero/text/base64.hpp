// SPDX-License-Identifier: MIT
//
// Base64 as Python's base64.urlsafe_b64decode reads it: both alphabets, and
// characters of neither are passed over.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

constexpr int base64_digit(char c) {
    if (c >= 'A' && c <= 'Z') return c - 'A';
    if (c >= 'a' && c <= 'z') return c - 'a' + 26;
    if (c >= '0' && c <= '9') return c - '0' + 52;
    if (c == '+' || c == '-') return 62;
    if (c == '/' || c == '_') return 63;
    return -1;
}

/// The bytes, or nothing where Python raises binascii.Error (incorrect padding) or ValueError (not ASCII).
inline std::optional<std::string> decode_base64(std::string_view text) {
    std::string bytes;
    std::uint32_t bits = 0;
    unsigned digits = 0;   // in the current group of four
    unsigned padding = 0;  // '=' in a row
    for (char c : text) {
        if (static_cast<unsigned char>(c) >= 0x80) return std::nullopt;
        if (c == '=') {
            if (digits >= 2 && digits + ++padding >= 4)
                return bytes;  // what follows a complete group's padding is ignored
            continue;
        }
        const int digit = base64_digit(c);
        if (digit < 0) continue;
        padding = 0;
        bits = bits << 6 | static_cast<std::uint32_t>(digit);
        if (++digits > 1) bytes += static_cast<char>(bits >> (2 * (4 - digits)) & 0xFF);
        digits %= 4;
    }
    if (digits != 0) return std::nullopt;
    return bytes;
}

}  // namespace dszero
