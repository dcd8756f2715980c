// SPDX-License-Identifier: MIT
//
// The section scheduler. DeepSpeed hands `params` to the schedule's class as they are;
// lr_schedules.hpp has their types.
// Source: deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct SchedulerConfig {
    Plain<std::optional<std::string>> type;  ///< empty: the rate stays what the optimizer was given
    Json params = json_object();             ///< null where the document has none

    bool operator==(const SchedulerConfig& other) const {
        return type == other.type && equal(params, other.params);
    }
};
template <>
inline constexpr std::string_view section_name<SchedulerConfig> = "scheduler";

}  // namespace dszero
