// SPDX-License-Identifier: MIT
//
// The parameters of DeepSpeed's five learning rate schedules. The rates that follow
// from them are in engine/scheduler.hpp.
// Source: the constructors in deepspeed/runtime/lr_schedules.py, release 0.19.8.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/scheduler.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/typed_params.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <variant>

namespace dszero {

/// From one rate to another over the first steps, then constant.
struct WarmupLRParams {
    double warmup_min_lr = 0;
    std::optional<double> warmup_max_lr{};  ///< empty: the group's own rate
    std::int64_t warmup_num_steps = 1000;
    std::string warmup_type = "log";  ///< or "linear"; any other word is as good as "log" to DeepSpeed
    std::int64_t last_batch_iteration = -1;

    bool operator==(const WarmupLRParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<WarmupLRParams> = "WarmupLR";

/// The same, then down to 0 along a line.
struct WarmupDecayLRParams {
    std::optional<double> total_num_steps{};  ///< must be given
    double warmup_min_lr = 0;
    std::optional<double> warmup_max_lr = 0.001;  ///< empty: the group's own rate
    std::int64_t warmup_num_steps = 1000;
    std::string warmup_type = "log";
    std::int64_t last_batch_iteration = -1;

    bool operator==(const WarmupDecayLRParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<WarmupDecayLRParams> = "WarmupDecayLR";

/// From a share of the group's own rate up to it, then down to another share along half a cosine.
struct WarmupCosineLRParams {
    std::optional<double> total_num_steps{};  ///< must be given
    double warmup_min_ratio = 0;
    std::int64_t warmup_num_steps = 1000;
    double cos_min_ratio = 0.0001;
    std::string warmup_type = "log";
    std::int64_t last_batch_iteration = -1;

    bool operator==(const WarmupCosineLRParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<WarmupCosineLRParams> = "WarmupCosineLR";

/// One rise and fall of the rate, with the momentum going the other way; then decay.
struct OneCycleParams {
    std::optional<double> cycle_min_lr{};  ///< must be given
    std::optional<double> cycle_max_lr{};  ///< must be given
    double decay_lr_rate = 0;
    double cycle_first_step_size = 2000;
    std::optional<double> cycle_second_step_size{};  ///< empty: as long as the first half
    double cycle_first_stair_count = 0;              ///< 0: no stairs
    std::optional<double> cycle_second_stair_count{};
    double decay_step_size = 0;  ///< 0: no decay
    bool cycle_momentum = true;
    double cycle_min_mom = 0.8;
    double cycle_max_mom = 0.9;
    double decay_mom_rate = 0;
    std::int64_t last_batch_iteration = -1;

    bool operator==(const OneCycleParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<OneCycleParams> = "OneCycle";

/// A rate that grows without end, to find out which one is too large.
struct LRRangeTestParams {
    double lr_range_test_min_lr = 1e-3;
    std::int64_t lr_range_test_step_size = 2000;
    double lr_range_test_step_rate = 1;
    bool lr_range_test_staircase = false;
    std::int64_t last_batch_iteration = -1;

    bool operator==(const LRRangeTestParams&) const = default;
};
template <>
inline constexpr std::string_view section_name<LRRangeTestParams> = "LRRangeTest";

using SchedulerParams = std::variant<WarmupLRParams, WarmupDecayLRParams, WarmupCosineLRParams,
                                     OneCycleParams, LRRangeTestParams>;

/// The schedule's parameters with their types; empty where there is no schedule. Throws
/// std::invalid_argument, with every problem, for a schedule or a parameter that DeepSpeed does not have, and
/// for a list of rates, one a group, which DeepSpeed takes and dszero does not.
std::optional<SchedulerParams> typed_params(const SchedulerConfig& scheduler);

// ---- the rows

/// Those that several schedules have, C among them.
namespace schedule_rows {
template <class C>
constexpr Row total_num_steps = field(&C::total_num_steps, {.name = "total_num_steps",
                                                            .doc = "Steps of the whole training.",
                                                            .derived = "it must be given"});
template <class C>
constexpr Row warmup_min_lr = field(&C::warmup_min_lr,
                                    {.name = "warmup_min_lr", .doc = "The rate to start from."});
template <class C>
constexpr Row warmup_num_steps =
    field(&C::warmup_num_steps,
          {.name = "warmup_num_steps", .doc = "Steps that the rise takes; 1 counts as 2.", .above = 0});
template <class C>
constexpr Row warmup_type = field(&C::warmup_type,
                                  {.name = "warmup_type", .doc = "How the rate rises: log or linear."});
template <class C>
constexpr Row last_batch_iteration =
    field(&C::last_batch_iteration,
          {.name = "last_batch_iteration", .doc = "Steps that were taken before, less one.", .at_least = -1});
}  // namespace schedule_rows

template <>
struct schema<WarmupLRParams> {
    using C = WarmupLRParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        schedule_rows::warmup_min_lr<C>,
        field(
            &C::warmup_max_lr,
            {.name = "warmup_max_lr", .doc = "The rate to reach.", .derived = "it is the optimizer's rate"}),
        schedule_rows::warmup_num_steps<C>,
        schedule_rows::warmup_type<C>,
        schedule_rows::last_batch_iteration<C>,
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<WarmupDecayLRParams> {
    using C = WarmupDecayLRParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        schedule_rows::total_num_steps<C>,
        schedule_rows::warmup_min_lr<C>,
        field(&C::warmup_max_lr,
              {.name = "warmup_max_lr", .doc = "The rate to reach; null: the optimizer's."}),
        schedule_rows::warmup_num_steps<C>,
        schedule_rows::warmup_type<C>,
        schedule_rows::last_batch_iteration<C>,
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<WarmupCosineLRParams> {
    using C = WarmupCosineLRParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        schedule_rows::total_num_steps<C>,
        field(&C::warmup_min_ratio,
              {.name = "warmup_min_ratio", .doc = "Share of the optimizer's rate to start from."}),
        schedule_rows::warmup_num_steps<C>,
        field(&C::cos_min_ratio,
              {.name = "cos_min_ratio", .doc = "Share of the optimizer's rate to end at."}),
        schedule_rows::warmup_type<C>,
        schedule_rows::last_batch_iteration<C>,
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<OneCycleParams> {
    using C = OneCycleParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::cycle_min_lr, {.name = "cycle_min_lr",
                                 .doc = "The rate before and after the cycle.",
                                 .derived = "it must be given"}),
        field(&C::cycle_max_lr, {.name = "cycle_max_lr",
                                 .doc = "The rate at the top of the cycle.",
                                 .derived = "it must be given"}),
        field(&C::decay_lr_rate,
              {.name = "decay_lr_rate", .doc = "How fast the rate falls after the cycle; 0: not at all."}),
        field(&C::cycle_first_step_size,
              {.name = "cycle_first_step_size", .doc = "Steps of the rise.", .above = 0}),
        field(&C::cycle_second_step_size, {.name = "cycle_second_step_size",
                                           .doc = "Steps of the fall.",
                                           .derived = "it is cycle_first_step_size"}),
        field(&C::cycle_first_stair_count,
              {.name = "cycle_first_stair_count", .doc = "Stairs of the rise; 0: a line."}),
        field(&C::cycle_second_stair_count, {.name = "cycle_second_stair_count",
                                             .doc = "Stairs of the fall; 0: a line.",
                                             .derived = "it is cycle_first_stair_count"}),
        field(&C::decay_step_size,
              {.name = "decay_step_size", .doc = "Steps that a decay rate counts for; 0: no decay."}),
        field(&C::cycle_momentum,
              {.name = "cycle_momentum", .doc = "Moves beta1 too, and sets beta2 to 0.99."}),
        field(&C::cycle_min_mom, {.name = "cycle_min_mom", .doc = "beta1 at the top of the cycle."}),
        field(&C::cycle_max_mom, {.name = "cycle_max_mom", .doc = "beta1 at both ends of the cycle."}),
        field(&C::decay_mom_rate,
              {.name = "decay_mom_rate", .doc = "How fast beta1 grows after the cycle; 0: not at all."}),
        schedule_rows::last_batch_iteration<C>,
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<LRRangeTestParams> {
    using C = LRRangeTestParams;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::lr_range_test_min_lr, {.name = "lr_range_test_min_lr", .doc = "The rate to start from."}),
        field(&C::lr_range_test_step_size, {.name = "lr_range_test_step_size",
                                            .doc = "Steps in which the rate grows by step_rate times min_lr.",
                                            .above = 0}),
        field(&C::lr_range_test_step_rate, {.name = "lr_range_test_step_rate", .doc = "How fast it grows."}),
        field(&C::lr_range_test_staircase,
              {.name = "lr_range_test_staircase", .doc = "It grows at once, at the end of each step_size."}),
        schedule_rows::last_batch_iteration<C>,
    };
    static constexpr std::array<Check, 0> checks{};
};

// ---- reading

/// What pydantic would be content with and the schedules' constructors are not.
inline void require(bool good, std::string_view type, std::string_view what) {
    if (!good) throw std::invalid_argument(std::string(type).append(": ").append(what));
}

inline std::optional<SchedulerParams> typed_params(const SchedulerConfig& scheduler) {
    const std::string type = std::optional<std::string>(scheduler.type).value_or("");
    const Json& json = scheduler.params;
    if (type.empty()) return std::nullopt;
    if (type == "WarmupLR") return read_params(WarmupLRParams(), type, json);
    if (type == "WarmupDecayLR") {
        const auto params = read_params(WarmupDecayLRParams(), type, json);
        require(params.total_num_steps.has_value(), type, "total_num_steps must be given");
        return params;
    }
    if (type == "WarmupCosineLR") {
        const auto params = read_params(WarmupCosineLRParams(), type, json);
        require(params.total_num_steps.has_value(), type, "total_num_steps must be given");
        return params;
    }
    if (type == "OneCycle") {
        const auto params = read_params(OneCycleParams(), type, json);
        require(params.cycle_min_lr && params.cycle_max_lr, type,
                "cycle_min_lr and cycle_max_lr must both be given");
        require(params.cycle_second_step_size.value_or(0) >= 0, type,
                "cycle_second_step_size must be at least 0");
        return params;
    }
    if (type == "LRRangeTest") return read_params(LRRangeTestParams(), type, json);
    throw std::invalid_argument("scheduler \"" + type +
                                "\" is not one of WarmupLR, WarmupDecayLR, WarmupCosineLR, OneCycle, "
                                "LRRangeTest");
}

}  // namespace dszero
