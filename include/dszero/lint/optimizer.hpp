// SPDX-License-Identifier: MIT
//
// Rules on the optimizer, whose parameters DeepSpeed hands to a Python constructor unread:
// what that would say.
#pragma once

#include <dszero/lint/linting.hpp>
#include <dszero/text/words.hpp>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace dszero::rules {

/// DeepSpeed's own optimizers; their names count in any case.
inline constexpr std::array<std::string_view, 9> own_optimizers = {
    "adagrad", "adam", "adamw", "lamb", "lion", "muadam", "muadamw", "musgd", "muon"};
/// Gone since 0.19.7.
inline constexpr std::array<std::string_view, 3> one_bit_optimizers = {"onebitadam", "onebitlamb",
                                                                       "zerooneadam"};
/// torch's, whose case counts.
inline constexpr std::array<std::string_view, 14> torch_optimizers = {
    "ASGD",  "Adadelta", "Adafactor", "Adagrad", "Adam",  "AdamW", "Adamax",
    "LBFGS", "NAdam",    "RAdam",     "RMSprop", "Rprop", "SGD",   "SparseAdam"};

template <std::size_t n>
constexpr bool is_one_of(const std::array<std::string_view, n>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Whether the optimizer's name, as written, is one that this release knows.
inline bool knows_optimizer(const Linting& lint, std::string_view written) {
    const std::string_view type = lint.optimizer_type();
    if (type == "muon") return lint.release() >= Release("0.17.6");
    return is_one_of(own_optimizers, type) || is_one_of(torch_optimizers, written) ||
           (is_one_of(one_bit_optimizers, type) && lint.release() < Release("0.19.7"));
}

inline void unknown_optimizer(Linting& lint) {
    const Spot spot = lint.optimizer["type"];
    if (!spot.is_set() || !spot.json().is_string()) return;
    const std::string& written = string_in(spot.json());
    if (knows_optimizer(lint, written)) return;
    if (is_one_of(one_bit_optimizers, lint.optimizer_type())) {
        lint.at_value(spot, {written, " was removed in 0.19.7: deepspeed.initialize stops with an assertion"},
                      {"choose another optimizer, or an older DeepSpeed"});
        return;
    }
    Nearest nearest(written);
    for (const std::string_view name : own_optimizers) nearest.consider(name);
    for (const std::string_view name : torch_optimizers) nearest.consider(name);
    Diagnostic& d =
        lint.at_value(spot,
                      {written,
                       " is no optimizer of DeepSpeed's, nor one of torch's that this dszero knows: "
                       "deepspeed.initialize stops with an assertion unless torch.optim has it"},
                      {});
    lint.offer(d, nearest, spot);
}

inline void untested_optimizer(Linting& lint) {
    const Spot spot = lint.optimizer["type"];
    if (!lint.at_stage(1, 3) || !spot.is_set() || !spot.json().is_string()) return;
    const Spot allow = lint.top["zero_allow_untested_optimizer"];
    if (allow && is_truthy(allow.json())) return;
    const std::string& written = string_in(spot.json());
    const std::string_view type = lint.optimizer_type();
    constexpr std::array<std::string_view, 7> tested = {"adam",   "adamw",   "adagrad", "lion",
                                                        "muadam", "muadamw", "muon"};
    const bool one_bit = is_one_of(one_bit_optimizers, type);
    if (is_one_of(tested, type) || one_bit || !knows_optimizer(lint, written)) return;
    lint.at_value(spot,
                  {"ZeRO is not tested with ", written, ": deepspeed.initialize stops with an assertion"},
                  {"add \"zero_allow_untested_optimizer\": true, or choose Adam, AdamW, Adagrad or Lion"});
}

inline void legacy_stage_1(Linting& lint) {
    const Spot spot = lint.zero["legacy_stage1"];
    const bool bf16_optimizer = lint.at_stage(1, 1) && lint.model_type() == DataType::bf16 &&
                                lint.accumulation_type() == DataType::fp32 && !lint.offloads_optimizer();
    if (!lint.at_stage(1, 3) || !lint.flag(spot) || bf16_optimizer) return;
    lint.at_key(spot,
                {"the first implementation of stage 1 is gone since 0.5.9: deepspeed.initialize raises an "
                 "Exception, at any stage"},
                {"remove it"});
}

inline void one_bit_with_zero(Linting& lint) {
    if (!lint.at_stage(1, 3) || !is_one_of(one_bit_optimizers, lint.optimizer_type())) return;
    const Spot spot = lint.optimizer["type"];
    lint.at_value(spot,
                  {string_in(spot.json()),
                   " is not compatible with ZeRO: deepspeed.initialize stops with an assertion"},
                  {"choose stage 0, or another optimizer"});
}

/// What a constructor takes, as DeepSpeed calls it.
struct Constructor {
    std::string_view name;
    std::string_view takes;    ///< with a blank around each
    std::string_view needs{};  ///< those of them that must be given; blanks between
};

inline Constructor constructor_of(const Linting& lint) {
    const std::string_view type = lint.optimizer_type();
    const bool host = lint.offloads_optimizer();
    if (lint.has_adam()) {
        if (lint.flag(lint.optimizer_params["torch_adam"]))
            return {"torch.optim.AdamW",
                    " lr betas eps weight_decay amsgrad foreach maximize capturable differentiable fused "
                    "adam_w_mode torch_adam fp32_optimizer_states "};
        if (host)
            return {"DeepSpeedCPUAdam",
                    " lr bias_correction betas eps weight_decay amsgrad adam_w_mode torch_adam "
                    "fp32_optimizer_states "};
        return {"FusedAdam",
                " lr bias_correction betas eps weight_decay amsgrad set_grad_none adam_w_mode torch_adam "
                "fp32_optimizer_states "};
    }
    if (type == "lion")
        return host ? Constructor{"DeepSpeedCPULion", " lr betas weight_decay fp32_optimizer_states "}
                    : Constructor{"FusedLion", " lr betas weight_decay set_grad_none "};
    if (type == "adagrad")
        return host
                   ? Constructor{"DeepSpeedCPUAdagrad", " lr eps weight_decay amsgrad fp32_optimizer_states "}
                   : Constructor{"torch.optim.Adagrad",
                                 " lr lr_decay weight_decay initial_accumulator_value eps foreach maximize "
                                 "differentiable fused "};
    if (type == "lamb")
        return {"FusedLamb",
                " lr bias_correction betas eps eps_inside_sqrt weight_decay max_coeff min_coeff amsgrad "};
    return {};
}

/// Which of the names, with a blank around each, the key is a misspelling of.
inline Nearest nearest_of(std::string_view names, std::string_view key) {
    Nearest nearest(key);
    for_each_word(names, [&](std::string_view name) { nearest.consider(name); });
    return nearest;
}

/// Whether the name is one of the names, with a blank around each.
inline bool takes(std::string_view names, std::string_view name) {
    if (name.find(' ') != name.npos) return false;
    for (std::size_t at = names.find(name); at != names.npos; at = names.find(name, at + 1))
        if (at > 0 && names[at - 1] == ' ' && names.substr(at + name.size()).starts_with(' ')) return true;
    return false;
}

inline void optimizer_param(Linting& lint) {
    const Constructor constructor = constructor_of(lint);
    if (constructor.name.empty()) return;
    for (const Member& member : lint.optimizer_params) {
        const Spot spot{&lint.optimizer_params, &member};
        if (member.key == "max_grad_norm" || takes(constructor.takes, member.key))
            continue;  // the verdict has said so
        const Nearest nearest = nearest_of(constructor.takes, member.key);
        Diagnostic& d = lint.at_key(
            spot,
            {constructor.name, " takes no ", member.key, ": deepspeed.initialize stops with a TypeError"},
            {"remove it"});
        if (!nearest.name().empty()) d.hint = "did you mean \"" + std::string(nearest.name()) + "\"?";
    }
}

inline void lamb_static_scale(Linting& lint) {
    const Spot scale = lint.fp16["loss_scale"];
    if (lint.optimizer_type() != "lamb" || lint.config.float16_config.loss_scale == 0 || !scale) return;
    lint.at_value(scale, {"LAMB needs a dynamic loss scale: deepspeed.initialize stops with an assertion"},
                  {"write \"loss_scale\": 0"});
}

inline void adam_is_adamw(Linting& lint) {
    if (lint.optimizer_type() != "adam" || lint.optimizer_params["adam_w_mode"]) return;
    if (lint.number(lint.optimizer_params["weight_decay"]).value_or(0) == 0) return;  // nothing decays
    lint.at_value(
            lint.optimizer["type"],
            {"type Adam is AdamW here: weight_decay is taken off the weights, not added to the gradients"},
            {"write \"AdamW\", or add \"adam_w_mode\": false to params"})
        .severity = Severity::note;
}

inline constexpr Rule optimizer_rules[] = {
    {.code = "unknown-optimizer",
     .title = "An optimizer that nobody has",
     .what = "The name must be one of DeepSpeed's (in any case) or of torch.optim's (as it is spelled "
             "there). It is looked up only in deepspeed.initialize.",
     .source = "runtime/engine.py, _do_sanity_check",
     .run = unknown_optimizer,
     .keys = "optimizer",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdanW"}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "adamw"}})"}},
    {.code = "untested-optimizer",
     .title = "ZeRO refuses an optimizer that it was not tested with",
     .what =
         "ZeRO works with Adam, AdamW, Adagrad, Lion and Muon. Others need zero_allow_untested_optimizer.",
     .source = "runtime/engine.py, _do_optimizer_sanity_check; runtime/zero/utils.py",
     .run = untested_optimizer,
     .keys = "optimizer",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "SGD"}, "zero_optimization": {"stage": 1}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "SGD"}, "zero_optimization": {"stage": 1},
 "zero_allow_untested_optimizer": true})"}},
    {.code = "legacy-stage-1",
     .title = "The first implementation of stage 1 is gone",
     .what = "legacy_stage1 is still read, and deepspeed.initialize raises an Exception where it is true.",
     .source = "runtime/engine.py, _configure_zero_optimizer",
     .run = legacy_stage_1,
     .keys = "legacy_stage1",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 1, "legacy_stage1": true}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 1, "legacy_stage1": false}})"}},
    {.code = "one-bit-with-zero",
     .title = "1-bit optimizers do not go with ZeRO",
     .what = "OneBitAdam, ZeroOneAdam and OneBitLamb assert in deepspeed.initialize that ZeRO is off.",
     .source = "runtime/engine.py of 0.19.6, _configure_basic_optimizer",
     .run = one_bit_with_zero,
     .keys = "optimizer",
     .until = "0.19.7",
     .bad =
         {R"({"train_batch_size": 8, "optimizer": {"type": "OneBitAdam"}, "zero_optimization": {"stage": 1}})",
          {},
          "0.18.9"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "OneBitAdam"}})", {}, "0.18.9"}},
    {.code = "optimizer-param",
     .title = "A parameter that the optimizer does not take",
     .what = "params goes to the optimizer's constructor as it is. A name that the constructor does not have "
             "is a TypeError. Which class it is depends on offload_optimizer and torch_adam.",
     .source = "runtime/engine.py, _configure_basic_optimizer",
     .run = optimizer_param,
     .keys = "optimizer",
     .bad =
         {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW", "params": {"learning_rate": 0.001}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW", "params": {"lr": 0.001}}})"}},
    {.code = "lamb-static-scale",
     .title = "LAMB needs a dynamic loss scale",
     .what = "deepspeed.initialize asserts that fp16.loss_scale is 0 with LAMB, whether fp16 is on or not.",
     .source = "runtime/engine.py, _do_sanity_check",
     .run = lamb_static_scale,
     .keys = "loss_scale",
     .bad =
         {R"({"train_batch_size": 8, "optimizer": {"type": "Lamb"}, "fp16": {"enabled": true, "loss_scale": 128}})"},
     .good =
         {R"({"train_batch_size": 8, "optimizer": {"type": "Lamb"}, "fp16": {"enabled": true, "loss_scale": 0}})"}},
    {.code = "adam-is-adamw",
     .title = "Adam is AdamW unless adam_w_mode is false",
     .what = "For DeepSpeed, type Adam means decoupled weight decay too. Only adam_w_mode: false gives Adam "
             "as published.",
     .source = "runtime/engine.py, _configure_basic_optimizer",
     .run = adam_is_adamw,
     .keys = "weight_decay",
     .severity = Severity::note,
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "Adam", "params": {"weight_decay": 0.01}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "Adam", "params": {"weight_decay": 0}}})"}},
};

}  // namespace dszero::rules
