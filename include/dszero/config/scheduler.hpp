// SPDX-License-Identifier: MIT
//
// The section scheduler, and the schedules that the engine has: WarmupLR.
// Source: deepspeed/runtime/lr_schedules.py.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/typed_params.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dszero {

struct SchedulerConfig {
    std::string type;  ///< empty: the rate stays what the optimizer was given
    Json params = json_object();

    bool operator==(const SchedulerConfig&) const = default;
};

/// From one rate to another over the first steps, then constant.
struct WarmupLRParams {
    double warmup_min_lr = 0;
    std::optional<double> warmup_max_lr;  ///< empty: the group's own rate
    std::int64_t warmup_num_steps = 1000;
    std::string warmup_type = "log";  ///< or "linear"
    std::int64_t last_batch_iteration = -1;

    bool operator==(const WarmupLRParams&) const = default;
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

template <>
struct schema<WarmupLRParams> {
    using C = WarmupLRParams;
    static constexpr std::string_view name = "WarmupLR";
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::warmup_min_lr, {.name = "warmup_min_lr", .doc = "The rate to start from."}),
        field(
            &C::warmup_max_lr,
            {.name = "warmup_max_lr", .doc = "The rate to reach.", .derived = "it is the optimizer's rate"}),
        field(&C::warmup_num_steps, {.name = "warmup_num_steps", .doc = "Steps that it takes.", .above = 0}),
        field(&C::warmup_type, {.name = "warmup_type", .doc = "How the rate rises: log or linear."}),
        field(&C::last_batch_iteration,
              {.name = "last_batch_iteration", .doc = "Steps that were taken before, less one."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

/// WarmupLR: the rate of the next step, for a group whose own rate is `group_lr`.
/// `steps` counts those taken and not skipped. As DeepSpeed's, it is behind by one step: the first two steps
/// both use the rate that the schedule begins with.
class WarmupLR {
public:
    explicit WarmupLR(const WarmupLRParams& params) : params_(params) {}

    double rate(std::int64_t steps, double group_lr) const {
        const std::int64_t iteration = params_.last_batch_iteration + steps;
        const double low = params_.warmup_min_lr, high = params_.warmup_max_lr.value_or(group_lr);
        if (iteration < 0) return low;
        return low + (high - low) * share(iteration);
    }

private:
    /// How much of the way is done. One step is too few for the logarithm: DeepSpeed makes it two.
    double share(std::int64_t iteration) const {
        const std::int64_t steps = std::max<std::int64_t>(2, params_.warmup_num_steps);
        if (iteration >= steps) return 1.0;
        if (params_.warmup_type == "linear")
            return static_cast<double>(iteration) / static_cast<double>(steps);
        return (1.0 / std::log(static_cast<double>(steps))) * std::log(static_cast<double>(iteration) + 1.0);
    }

    WarmupLRParams params_;
};

/// The schedule with its type. Throws std::invalid_argument for one that the engine does not have.
inline std::optional<WarmupLR> typed_scheduler(const SchedulerConfig& scheduler) {
    if (scheduler.type.empty()) return std::nullopt;
    if (scheduler.type != "WarmupLR")
        throw std::invalid_argument("scheduler \"" + scheduler.type + "\" is not one of WarmupLR");
    return WarmupLR(read_params(WarmupLRParams(), scheduler.type, scheduler.params));
}

}  // namespace dszero
