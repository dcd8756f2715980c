// SPDX-License-Identifier: MIT
//
// Rows of zenflow.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zenflow.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

/// An interval given as a string must be "auto".
inline void require_auto(Checking& c, std::string_view name) {
    const Given& interval = c.field(name);
    if (!interval.present || !interval.value.json->is_string() || is_word(*interval.value.json, "auto"))
        return;
    c.fail("wrong-value", c.reading.value_span(interval.value),
           std::string(name) + " must be \"auto\" or an integer, got " + c.reading.shown(interval.value),
           "a number in quotes stays a string here: write it without them");
}

inline void select_strategy_known(Checking& c) {
    const std::string& strategy = c.object<ZenFlowConfig>().select_strategy;
    if (strategy == "auto" || strategy == "step" || strategy == "epoch") return;
    const Value& value = c.field("select_strategy").value;
    c.fail("wrong-value", c.reading.value_span(value),
           "select_strategy must be \"auto\", \"step\" or \"epoch\", got " + c.reading.shown(value));
}
inline void select_interval_valid(Checking& c) { require_auto(c, "select_interval"); }
inline void update_interval_valid(Checking& c) { require_auto(c, "update_interval"); }
inline void update_interval_positive(Checking& c) {
    const auto& steps = c.object<ZenFlowConfig>().update_interval.steps;
    if (!steps || *steps >= 1) return;
    c.fail("out-of-bounds", c.reading.value_span(c.field("update_interval").value),
           "update_interval must be at least 1, got " + std::to_string(*steps));
}

template <>
struct schema<ZenFlowConfig> {
    using C = ZenFlowConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::topk_ratio, {.name = "topk_ratio",
                               .doc = "Share of the gradient columns that is important and applied at once.",
                               .above = 0.0,
                               .below = 1.0,
                               .since = "0.17.5",
                               .before = {.release = "0.19.6", .at_least = 0.0, .at_most = 1.0}}),
        field(&C::select_strategy, {.name = "select_strategy",
                                    .doc = "When the important columns are chosen anew: auto, step or epoch.",
                                    .since = "0.17.5"}),
        field(&C::select_interval,
              {.name = "select_interval", .doc = "Steps or epochs between two choices.", .since = "0.17.5"}),
        field(&C::update_interval, {.name = "update_interval",
                                    .doc = "Steps after which the unimportant gradients are applied.",
                                    .since = "0.17.5"}),
        field(&C::overlap_step, {.name = "overlap_step",
                                 .doc = "Runs the optimizer on the CPU during forward and backward.",
                                 .since = "0.17.5"}),
        field(&C::offload, {.name = "offload",
                            .doc = "Keeps the states of the important columns in host memory too.",
                            .since = "0.17.5"}),
        field(&C::auto_ratio, {.name = "auto_ratio",
                               .doc = "Threshold by which an automatic update_interval is found.",
                               .at_least = 0.0,
                               .at_most = 1.0,
                               .since = "0.17.5"}),
        field(&C::full_warm_up_rounds, {.name = "full_warm_up_rounds",
                                        .doc = "First steps in which every gradient is applied.",
                                        .since = "0.17.5"}),
        field(&C::pt_reserved_cores_perc,
              {.name = "pt_reserved_cores_perc",
               .doc = "Share of the cores left to PyTorch; the rest run the optimizer.",
               .at_least = 0.0,
               .at_most = 1.0,
               .since = "0.17.6"}),
        field(&C::steps_per_epoch, {.name = "steps_per_epoch",
                                    .doc = "Set by DeepSpeed while it runs; not for users.",
                                    .since = "0.17.5"}),
    };
    static constexpr std::array checks = {
        Check{"validate_fields", "select_strategy is auto, step or epoch", select_strategy_known},
        Check{"validate_fields", "select_interval is auto or an integer", select_interval_valid},
        Check{"validate_fields", "update_interval is auto or an integer", update_interval_valid},
        Check{"validate_fields", "a number for update_interval is at least 1", update_interval_positive,
              "0.19.6"},
    };
};

template <>
inline constexpr MemberType member_type<std::optional<ZenFlowConfig>> = optional_section_type<ZenFlowConfig>;

}  // namespace dszero
