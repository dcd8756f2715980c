// SPDX-License-Identifier: MIT
//
// Rules on the learning rate's schedule, whose parameters DeepSpeed hands to a Python
// constructor unread.
#pragma once

#include <dszero/lint/linting.hpp>
#include <dszero/lint/optimizer.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero::rules {

inline constexpr std::array<std::string_view, 5> own_schedulers = {
    "LRRangeTest", "OneCycle", "WarmupCosineLR", "WarmupDecayLR", "WarmupLR"};
inline constexpr std::array<std::string_view, 14> torch_schedulers = {
    "CosineAnnealingLR", "CosineAnnealingWarmRestarts",
    "ConstantLR",        "CyclicLR",
    "ExponentialLR",     "LambdaLR",
    "LinearLR",          "MultiStepLR",
    "MultiplicativeLR",  "OneCycleLR",
    "PolynomialLR",      "ReduceLROnPlateau",
    "SequentialLR",      "StepLR"};

inline void unknown_scheduler(Linting& lint) {
    const Spot spot = lint.scheduler["type"];
    if (!spot.is_set() || !spot.json().is_string()) return;
    const std::string& written = string_in(spot.json());
    if (is_one_of(own_schedulers, written) || is_one_of(torch_schedulers, written)) return;
    Nearest nearest(written);
    for (const std::string_view name : own_schedulers) nearest.consider(name);
    for (const std::string_view name : torch_schedulers) nearest.consider(name);
    Diagnostic& d = lint.at_value(
        spot,
        {written, " is no schedule of DeepSpeed's or torch's: deepspeed.initialize stops with an assertion"},
        {"choose WarmupLR, WarmupDecayLR, WarmupCosineLR, OneCycle or LRRangeTest"});
    lint.offer(d, nearest, spot);
}

/// The parameters of DeepSpeed's schedules.
inline Constructor schedule_of(std::string_view type) {
    if (type == "WarmupLR")
        return {type, " warmup_min_lr warmup_max_lr warmup_num_steps warmup_type last_batch_iteration "};
    if (type == "WarmupDecayLR")
        return {type,
                " total_num_steps warmup_min_lr warmup_max_lr warmup_num_steps warmup_type "
                "last_batch_iteration ",
                "total_num_steps"};
    if (type == "WarmupCosineLR")
        return {type,
                " total_num_steps warmup_min_ratio warmup_num_steps cos_min_ratio warmup_type "
                "last_batch_iteration ",
                "total_num_steps"};
    if (type == "OneCycle")
        return {type,
                " cycle_min_lr cycle_max_lr decay_lr_rate cycle_first_step_size cycle_second_step_size "
                "cycle_first_stair_count cycle_second_stair_count decay_step_size cycle_momentum "
                "cycle_min_mom cycle_max_mom decay_mom_rate last_batch_iteration ",
                "cycle_min_lr cycle_max_lr"};
    if (type == "LRRangeTest")
        return {type,
                " lr_range_test_min_lr lr_range_test_step_size lr_range_test_step_rate "
                "lr_range_test_staircase last_batch_iteration "};
    return {};
}

inline void scheduler_param(Linting& lint) {
    const Spot type = lint.scheduler["type"];
    if (!type || !type.json().is_string()) return;
    const Constructor schedule = schedule_of(string_in(type.json()));
    if (schedule.name.empty()) return;
    for (const Member& member : lint.scheduler_params) {
        if (takes(schedule.takes, member.key)) continue;
        const Nearest nearest = nearest_of(schedule.takes, member.key);
        Diagnostic& d = lint.at_key(
            {&lint.scheduler_params, &member},
            {schedule.name, " takes no ", member.key, ": deepspeed.initialize stops with a TypeError"},
            {"remove it"});
        if (!nearest.name().empty()) d.hint = "did you mean \"" + std::string(nearest.name()) + "\"?";
    }
    for_each_word(schedule.needs, [&](std::string_view name) {
        if (!lint.scheduler_params[name])
            lint.at_value(type,
                          {schedule.name, " needs ", name, ": deepspeed.initialize stops with a TypeError"},
                          {"add ", name, " to params"});
    });
}

inline void learning_rate_twice(Linting& lint) {
    const Spot type = lint.scheduler["type"], peak = lint.scheduler_params["warmup_max_lr"],
               lr = lint.optimizer_params["lr"];
    if (!type || !peak || !lr || !type.json().is_string()) return;
    const std::string& name = string_in(type.json());
    if (name != "WarmupLR" && name != "WarmupDecayLR") return;
    const auto of_schedule = lint.number(peak), of_optimizer = lint.number(lr);
    if (!of_schedule || !of_optimizer || *of_schedule == *of_optimizer) return;
    lint.at_value(
            lr,
            {"the optimizer's lr is never used: ", name, " sets the rate, and goes up to ", lint.shown(peak)},
            {"write the same rate in both places"})
        .severity = Severity::note;
}

inline void warmup_is_longer(Linting& lint) {
    const Spot total = lint.scheduler_params["total_num_steps"],
               warmup = lint.scheduler_params["warmup_num_steps"];
    const auto all = lint.number(total), first = lint.number(warmup);
    if (!all || !first || *all <= 0 || *all >= *first) return;  // a placeholder is for the program to fill in
    lint.at_value(warmup,
                  {"the warm-up takes ", lint.shown(warmup), " steps of ", lint.shown(total),
                   ": the rate never reaches its peak"},
                  {"make total_num_steps larger than warmup_num_steps"});
}

inline constexpr Rule scheduler_rules[] = {
    {.code = "unknown-scheduler",
     .title = "A schedule that nobody has",
     .what = "The name must be one of DeepSpeed's schedules or a class of torch.optim.lr_scheduler, spelled "
             "as there.",
     .source = "runtime/engine.py, _scheduler_from_config",
     .run = unknown_scheduler,
     .keys = "scheduler",
     .bad = {R"({"train_batch_size": 8, "scheduler": {"type": "warmuplr", "params": {}}})"},
     .good = {R"({"train_batch_size": 8, "scheduler": {"type": "WarmupLR", "params": {}}})"}},
    {.code = "scheduler-param",
     .title = "Parameters that the schedule does not take, or that it lacks",
     .what = "params goes to the schedule's constructor as it is: a name that it does not have, or one that "
             "it needs and does not get, is a TypeError.",
     .source = "runtime/lr_schedules.py",
     .run = scheduler_param,
     .keys = "scheduler",
     .bad =
         {R"({"train_batch_size": 8, "scheduler": {"type": "WarmupDecayLR", "params": {"warmup_num_steps": 10}}})"},
     .good = {R"({"train_batch_size": 8, "scheduler": {"type": "WarmupDecayLR",
 "params": {"warmup_num_steps": 10, "total_num_steps": 100}}})"}},
    {.code = "learning-rate-twice",
     .title = "Two learning rates, of which the schedule's counts",
     .what = "WarmupLR and WarmupDecayLR overwrite the optimizer's rate at every step.",
     .source = "runtime/lr_schedules.py, WarmupLR",
     .run = learning_rate_twice,
     .keys = "warmup_max_lr",
     .severity = Severity::note,
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW", "params": {"lr": 0.001}},
 "scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": 0.01}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW", "params": {"lr": 0.001}},
 "scheduler": {"type": "WarmupLR", "params": {"warmup_max_lr": 0.001}}})"}},
    {.code = "warmup-longer-than-training",
     .title = "The warm-up outlasts the training",
     .what = "total_num_steps counts the warm-up's steps too. DeepSpeed only logs that they are too few.",
     .source = "runtime/lr_schedules.py, WarmupDecayLR",
     .run = warmup_is_longer,
     .keys = "total_num_steps",
     .bad = {R"({"train_batch_size": 8, "scheduler": {"type": "WarmupDecayLR",
 "params": {"warmup_num_steps": 1000, "total_num_steps": 100}}})"},
     .good = {R"({"train_batch_size": 8, "scheduler": {"type": "WarmupDecayLR",
 "params": {"warmup_num_steps": 100, "total_num_steps": 1000}}})"}},
};

}  // namespace dszero::rules
