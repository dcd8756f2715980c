// SPDX-License-Identifier: MIT
//
// The learning rate of each step, as DeepSpeed's five schedules set it, and OneCycle's
// betas. A schedule is a function of the number of steps taken: it has no state to save.
// Source: deepspeed/runtime/lr_schedules.py, release 0.19.8.
#pragma once

#include <dszero/config/lr_schedules.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace dszero {

class Schedule {
public:
    explicit Schedule(SchedulerParams params) : params_(std::move(params)) {}

    /// The rate of the next step, for a group whose own rate is `group_lr`. `steps` counts those taken and
    /// not skipped. As DeepSpeed's, most schedules are a step behind: the first two steps use the rate that
    /// they begin with.
    double rate(std::int64_t steps, double group_lr) const;

    /// beta1 and beta2 of the next step; empty: the optimizer's own.
    std::optional<std::array<double, 2>> betas(std::int64_t steps) const;

    /// What DeepSpeed logs about the parameters.
    std::vector<std::string> notes() const;

private:
    SchedulerParams params_;
};

// ---- one schedule each: the rate it begins with, and the rate after `iteration`, counted from 0

/// How much of a rise over `num_steps` is done. One step is too few for the logarithm: it counts as two.
inline double risen(double iteration, double num_steps, std::string_view type) {
    if (type == "linear") return iteration / num_steps;
    return std::log(iteration + 1) * (1 / std::log(num_steps));
}

template <class Params>
double warmup_steps(const Params& p) {
    return static_cast<double>(std::max<std::int64_t>(2, p.warmup_num_steps));
}

inline double first_rate(const WarmupLRParams& p, double) { return p.warmup_min_lr; }
inline double rate_after(const WarmupLRParams& p, double iteration, double group_lr) {
    const double share = iteration < warmup_steps(p) ? risen(iteration, warmup_steps(p), p.warmup_type) : 1;
    return p.warmup_min_lr + (p.warmup_max_lr.value_or(group_lr) - p.warmup_min_lr) * share;
}

inline double first_rate(const WarmupDecayLRParams& p, double) { return p.warmup_min_lr; }
inline double rate_after(const WarmupDecayLRParams& p, double iteration, double group_lr) {
    const double warmup = warmup_steps(p), total = *p.total_num_steps;
    const double share = iteration < warmup
                             ? risen(iteration, warmup, p.warmup_type)
                             : std::max(0.0, (total - iteration) / std::max(1.0, total - warmup));
    return p.warmup_min_lr + (p.warmup_max_lr.value_or(group_lr) - p.warmup_min_lr) * share;
}

inline double first_rate(const WarmupCosineLRParams&, double) { return 0; }
inline double rate_after(const WarmupCosineLRParams& p, double iteration, double group_lr) {
    constexpr double pi = 3.14159265358979323846;
    const double warmup = warmup_steps(p);
    if (iteration < warmup)
        return group_lr *
               (p.warmup_min_ratio + (1 - p.warmup_min_ratio) * risen(iteration, warmup, p.warmup_type));
    const double progress =
        std::min(1.0, (iteration - warmup + 1) / std::max(1.0, *p.total_num_steps - warmup));
    const double share = (1 + std::cos(pi * progress)) / 2;
    return group_lr * std::max(0.0, p.cos_min_ratio + (1 - p.cos_min_ratio) * share);
}

inline double cycle_length(const OneCycleParams& p) {
    return p.cycle_first_step_size + p.cycle_second_step_size.value_or(p.cycle_first_step_size);
}
/// How far up the cycle is, from 0 to 1, after `iteration`.
inline double height(const OneCycleParams& p, double iteration) {
    const double first = p.cycle_first_step_size, length = cycle_length(p);
    const double place = std::fmod(iteration + 1, length);
    const bool rises = place <= first;
    const double stairs =
        rises ? p.cycle_first_stair_count : p.cycle_second_stair_count.value_or(p.cycle_first_stair_count);
    if (stairs > 0) {
        const double position = rises ? place * stairs / first : (length - place) * stairs / (length - first);
        return std::floor(position) / stairs;
    }
    return rises ? place / first : (length - place) / (length - first);
}

inline double first_rate(const OneCycleParams& p, double) { return *p.cycle_min_lr; }
inline double rate_after(const OneCycleParams& p, double iteration, double) {
    const double low = *p.cycle_min_lr, high = *p.cycle_max_lr, length = cycle_length(p);
    if (iteration < length) return low + (high - low) * height(p, iteration);
    if (p.decay_step_size == 0) return low;
    return low / (1 + p.decay_lr_rate * ((iteration - length + 1) / p.decay_step_size));
}
inline double momentum_after(const OneCycleParams& p, double iteration) {
    const double length = cycle_length(p);
    if (iteration < length)
        return p.cycle_max_mom - (p.cycle_max_mom - p.cycle_min_mom) * height(p, iteration);
    if (p.decay_step_size == 0) return p.cycle_max_mom;
    return p.cycle_max_mom * (1 + p.decay_mom_rate * ((iteration - length + 1) / p.decay_step_size));
}

inline double first_rate(const LRRangeTestParams& p, double) { return p.lr_range_test_min_lr; }
inline double rate_after(const LRRangeTestParams& p, double iteration, double) {
    const double intervals = (iteration + 1) / static_cast<double>(p.lr_range_test_step_size);
    return p.lr_range_test_min_lr *
           (1 + p.lr_range_test_step_rate * (p.lr_range_test_staircase ? std::floor(intervals) : intervals));
}

// ---- all of them

inline double Schedule::rate(std::int64_t steps, double group_lr) const {
    return std::visit(
        [&](const auto& p) {
            const std::int64_t iteration = p.last_batch_iteration + steps;
            // a schedule that goes on from an earlier one leaves the optimizer alone until its own first step
            if (steps == 0 && p.last_batch_iteration != -1) return group_lr;
            if (iteration < 0) return first_rate(p, group_lr);
            return rate_after(p, static_cast<double>(iteration), group_lr);
        },
        params_);
}

inline std::optional<std::array<double, 2>> Schedule::betas(std::int64_t steps) const {
    const auto* p = std::get_if<OneCycleParams>(&params_);
    if (!p || !p->cycle_momentum) return std::nullopt;
    constexpr double beta2 = 0.99;
    const std::int64_t iteration = p->last_batch_iteration + steps;
    if (steps == 0 && p->last_batch_iteration != -1) return std::nullopt;
    if (iteration < 0) return {{p->cycle_min_mom, beta2}};
    return {{momentum_after(*p, static_cast<double>(iteration)), beta2}};
}

inline std::vector<std::string> Schedule::notes() const {
    std::vector<std::string> notes;
    std::visit(
        [&](const auto& p) {
            if constexpr (requires { p.warmup_type; })
                if (p.warmup_type != "log" && p.warmup_type != "linear")
                    notes.push_back("warmup_type \"" + p.warmup_type +
                                    "\" is not known: it counts as \"log\"");
            if constexpr (requires { p.total_num_steps; })
                if (*p.total_num_steps < warmup_steps(p))
                    notes.push_back("total_num_steps is less than warmup_num_steps");
        },
        params_);
    return notes;
}

}  // namespace dszero
