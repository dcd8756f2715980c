// SPDX-License-Identifier: MIT
//
// DeepSpeed releases, and what each one reads differently.
// What a release changed about a single field stands in that field's row; what
// it changed about reading as a whole stands here, one line each. Nothing else
// asks for a release.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace dszero {

/// A DeepSpeed release, "0.19.8". A literal that is none does not compile.
class Release {
public:
    constexpr Release() = default;
    constexpr Release(unsigned short major, unsigned short minor, unsigned short patch)
        : number_(std::uint64_t{major} << 32 | std::uint64_t{minor} << 16 | patch) {}
    consteval Release(const char* literal) { *this = parse(literal).value(); }  // NOLINT: implicit, for rows

    /// "0.19.8" or "v0.19.8", with or without a local part ("0.19.8+cu128"); empty for anything else.
    static constexpr std::optional<Release> parse(std::string_view text) {
        if (text.starts_with('v')) text.remove_prefix(1);
        unsigned short part[3] = {};
        for (int i = 0; i < 3; ++i) {
            std::size_t digits = 0;
            for (; digits < text.size() && text[digits] >= '0' && text[digits] <= '9'; ++digits) {
                if (digits == 4) return std::nullopt;
                part[i] = static_cast<unsigned short>(part[i] * 10 + (text[digits] - '0'));
            }
            if (digits == 0) return std::nullopt;
            text.remove_prefix(digits);
            if (i == 2) break;
            if (!text.starts_with('.')) return std::nullopt;
            text.remove_prefix(1);
        }
        if (!text.empty() && !text.starts_with('+')) return std::nullopt;
        return Release(part[0], part[1], part[2]);
    }

    std::string str() const {
        return std::to_string(part(32)) + '.' + std::to_string(part(16)) + '.' + std::to_string(part(0));
    }

    constexpr bool operator==(const Release&) const = default;
    constexpr auto operator<=>(const Release&) const = default;

private:
    constexpr unsigned part(int shift) const { return number_ >> shift & 0xFFFF; }

    std::uint64_t number_ = 0;  // major, minor and patch, 16 bits each: comparing releases is comparing this
};

/// Every release that dszero knows, oldest first: those on PyPI from 0.7.0 on.
inline std::span<const Release> releases() {
    static constexpr Release all[] = {
        "0.7.0",  "0.7.1",  "0.7.2",  "0.7.3",  "0.7.4",  "0.7.5",  "0.7.6",  "0.7.7",  "0.8.0",  "0.8.1",
        "0.8.2",  "0.8.3",  "0.9.0",  "0.9.1",  "0.9.2",  "0.9.3",  "0.9.4",  "0.9.5",  "0.10.0", "0.10.1",
        "0.10.2", "0.10.3", "0.11.0", "0.11.1", "0.11.2", "0.12.0", "0.12.1", "0.12.2", "0.12.3", "0.12.4",
        "0.12.5", "0.12.6", "0.13.0", "0.13.1", "0.13.2", "0.13.3", "0.13.4", "0.13.5", "0.14.0", "0.14.1",
        "0.14.2", "0.14.3", "0.14.4", "0.14.5", "0.15.0", "0.15.1", "0.15.2", "0.15.3", "0.15.4", "0.16.0",
        "0.16.1", "0.16.2", "0.16.3", "0.16.4", "0.16.5", "0.16.6", "0.16.7", "0.16.8", "0.16.9", "0.17.0",
        "0.17.1", "0.17.2", "0.17.3", "0.17.4", "0.17.5", "0.17.6", "0.18.0", "0.18.1", "0.18.2", "0.18.3",
        "0.18.4", "0.18.5", "0.18.6", "0.18.7", "0.18.8", "0.18.9", "0.19.0", "0.19.1", "0.19.2", "0.19.3",
        "0.19.4", "0.19.5", "0.19.6", "0.19.7", "0.19.8"};
    return all;
}

constexpr Release oldest_release = "0.7.0";
constexpr Release newest_release = "0.19.8";

/// How a release reads a document, beyond its table of fields.
/// Sources: deepspeed/runtime/config.py, config_utils.py and zero/config.py of the releases named.
struct Behaviour {
    Release release;
    bool hjson;                      ///< config.py reads with hjson; before, with Python's json
    bool pydantic_2;                 ///< pydantic 2; before, pydantic 1.10
    bool keeps_replace_method;       ///< "replace_method": "auto" is not dropped
    bool deletes_moved_keys;         ///< a deprecated attribute goes once its replacement is set
    bool deprecated_offload_is_cpu;  ///< cpu_offload: true means device "cpu"; in 0.7.0 it left "none"
    bool models_precision;           ///< fp16 and bf16 are validated; before, looked up when used

    constexpr explicit Behaviour(Release r)
        : release(r),
          hjson(r >= Release("0.8.1")),
          pydantic_2(r >= Release("0.15.0")),
          keeps_replace_method(r >= Release("0.8.1")),
          deletes_moved_keys(r >= Release("0.7.6")),
          deprecated_offload_is_cpu(r >= Release("0.7.1")),
          models_precision(r >= Release("0.17.1")) {}
};

/// The releases whose answers to whole documents were recorded.
inline constexpr std::array<Release, 4> recorded_releases = {"0.14.5", "0.16.9", "0.18.9", "0.19.8"};

}  // namespace dszero
