// SPDX-License-Identifier: MIT
//
// The section zenflow: which gradients are applied at once, and when the rest follow.
// Source: deepspeed/runtime/zenflow/zenflow_config.py, 0.17.5 to 0.19.8.
#pragma once

#include <dszero/config/member_values.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct ZenFlowConfig {
    double topk_ratio = 0.1;
    std::string select_strategy = "auto";  ///< "auto", "step" or "epoch"
    Interval select_interval;              ///< steps or epochs
    Interval update_interval;              ///< steps
    bool overlap_step = false;
    bool offload = false;
    double auto_ratio = 0.99;
    std::int64_t full_warm_up_rounds = 0;  ///< steps
    double pt_reserved_cores_perc = 0.5;
    std::optional<std::int64_t> steps_per_epoch;

    bool operator==(const ZenFlowConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<ZenFlowConfig> = "ZenFlowConfig";

}  // namespace dszero
