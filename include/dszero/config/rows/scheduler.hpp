// SPDX-License-Identifier: MIT
//
// Rows of scheduler.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/plain_types.hpp>
#include <dszero/config/scheduler.hpp>
#include <dszero/config/section.hpp>

#include <array>

namespace dszero {

template <>
struct schema<SchedulerConfig> {
    using C = SchedulerConfig;
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
