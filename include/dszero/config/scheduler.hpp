// SPDX-License-Identifier: MIT
//
// The section scheduler. DeepSpeed hands `params` to the schedule's class as they are;
// lr_schedules.hpp has their types.
// Source: deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero {

struct SchedulerConfig {
    std::string type;  ///< empty: the rate stays what the optimizer was given
    Json params = json_object();

    bool operator==(const SchedulerConfig&) const = default;
};

template <>
struct schema<SchedulerConfig> {
    using C = SchedulerConfig;
    static constexpr std::string_view name = "scheduler";
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::type, {.name = "type", .doc = "The schedule's name: WarmupLR, …"}),
        field(&C::params, {.name = "params", .doc = "What its constructor takes."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

}  // namespace dszero
