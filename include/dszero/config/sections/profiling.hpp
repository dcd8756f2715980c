// SPDX-License-Identifier: MIT
//
// The sections flops_profiler and timers: what a step costs.
// Source: deepspeed/profiling/config.py, deepspeed/utils/config.py.
#pragma once

#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct DeepSpeedFlopsProfilerConfig {
    Plain<bool> enabled;
    Plain<double> recompute_fwd_factor = 0.0;
    Plain<std::int64_t> profile_step = 1;
    Plain<std::int64_t> module_depth = -1;
    Plain<std::int64_t> top_modules = 1;
    Plain<bool> detailed = true;
    Plain<std::optional<std::string>> output_file;

    bool operator==(const DeepSpeedFlopsProfilerConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedFlopsProfilerConfig> = "DeepSpeedFlopsProfilerConfig";

struct DeepSpeedThroughputTimerConfig {
    bool enabled = true;
    bool synchronized = true;

    bool operator==(const DeepSpeedThroughputTimerConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedThroughputTimerConfig> =
    "DeepSpeedThroughputTimerConfig";

}  // namespace dszero
