// SPDX-License-Identifier: MIT
//
// The section scheduler. DeepSpeed hands `params` to the schedule's class as they are;
// lr_schedules.hpp has their types.
// Source: deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section.hpp>

#include <array>
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
struct schema<SchedulerConfig> {
    using C = SchedulerConfig;
    static constexpr std::string_view name = "scheduler";
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::type, {.name = "scheduler_name",
                         .alias = "type",
                         .doc = "The schedule's name: WarmupLR, WarmupDecayLR, WarmupCosineLR, OneCycle, …"}),
        field(&C::params, {.name = "scheduler_params",
                           .alias = "params",
                           .doc = "What its constructor takes.",
                           .type = &anything}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
inline constexpr MemberType member_type<SchedulerConfig> = named_section<SchedulerConfig>;

}  // namespace dszero
