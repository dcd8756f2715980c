// SPDX-License-Identifier: MIT
//
// Rules on number types: fp16, bf16, master weights, and loss scales.
#pragma once

#include <dszero/lint/linting.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero::rules {

inline void static_scale_ignores(Linting& lint) {
    const DeepSpeedFP16Config& fp16 = lint.config.float16_config;
    if (!fp16.enabled || fp16.loss_scale == 0) return;
    for (const std::string_view key : {"initial_scale_power", "loss_scale_window", "hysteresis",
                                       "consecutive_hysteresis", "min_loss_scale"})
        if (const Spot spot = lint.fp16[key]; spot.is_set())
            lint.at_key(spot,
                        {key, " has no effect: loss_scale ", lint.shown(lint.fp16["loss_scale"]),
                         " is a fixed scale, and this is for a dynamic one"},
                        {"remove it, or write \"loss_scale\": 0"})
                .severity = Severity::note;
}

inline void master_weights(Linting& lint) {
    if (!lint.at_stage(1, 3)) return;
    const bool cpu_adam =
        lint.offloads_optimizer() && lint.has_adam() && !lint.flag(lint.optimizer_params["torch_adam"]);
    const bool unknown =
        lint.offloads_optimizer() && lint.optimizer_type().empty();  // the program's may be one
    const Spot fp16 = lint.fp16["fp16_master_weights_and_grads"],
               bf16 = lint.bf16["bf16_master_weights_and_grads"];
    const bool of_fp16 = lint.config.float16_config.fp16_master_weights_and_grads;
    const bool of_bf16 = lint.config.bfloat16_config.bf16_master_weights_and_grads;
    if (of_fp16 && of_bf16)
        lint.at_value(bf16,
                      {"bf16_master_weights_and_grads excludes fp16_master_weights_and_grads: "
                       "deepspeed.initialize stops with an assertion"},
                      {"keep one of them"});
    else if (of_fp16 && !cpu_adam && !unknown)
        lint.at_value(fp16,
                      {"16-bit master weights need offload_optimizer and DeepSpeed's Adam or AdamW: "
                       "deepspeed.initialize stops with an assertion"},
                      {"add \"offload_optimizer\": {\"device\": \"cpu\"} and an Adam, or remove it"});
    else if (of_bf16 && !cpu_adam && !unknown &&
             (!lint.config.bfloat16_config.bf16_optimizer_states || lint.offloads_optimizer()))
        lint.at_value(bf16,
                      {"16-bit master weights need offload_optimizer and DeepSpeed's Adam or AdamW, or bf16 "
                       "optimizer states on the device: deepspeed.initialize stops with an assertion"},
                      {"add \"offload_optimizer\": {\"device\": \"cpu\"} and an Adam, or "
                       "\"bf16_optimizer_states\": true"});
}

inline void grad_overflow_unchecked(Linting& lint) {
    const Spot spot = lint.bf16["check_grad_overflow"];
    if (!spot.is_set() || !lint.config.bfloat16_config.enabled) return;
    if (!lint.at_stage(0, 0) && !lint.at_stage(3, 3)) return;
    Diagnostic& d = lint.at_key(spot,
                                {"check_grad_overflow has no effect at stage ", std::to_string(lint.stage()),
                                 ": bf16 gradients are not checked there"},
                                {"remove it, or choose stage 1 or 2"});
    if (!lint.config.bfloat16_config.check_grad_overflow) d.severity = Severity::note;  // nor should they be
}

inline void param_dtype(Linting& lint) {
    const Spot spot = lint.data_types["param_dtype"];
    if (!spot.is_set() || !spot.json().is_string()) return;
    const auto type = data_type_named(string_in(spot.json()));
    if (!type || *type == lint.model_type()) return;
    lint.at_value(spot,
                  {"param_dtype must be the type that fp16 and bf16 choose, ", to_string(lint.model_type()),
                   ": deepspeed.initialize stops with an assertion"},
                  {"remove it, or enable fp16 or bf16 to match"});
}

inline void optimizer_states_overridden(Linting& lint) {
    const Spot spot = lint.optimizer_params["fp32_optimizer_states"];
    if (!lint.config.bfloat16_config.bf16_optimizer_states || !lint.offloads_optimizer() || !lint.flag(spot))
        return;
    lint.at_value(
        spot, {"fp32_optimizer_states true is overridden: bf16_optimizer_states keeps the moments in bf16"},
        {"remove one of them"});
}

inline void bfloat16_ignored(Linting& lint) {
    const Spot old_name = lint.top["bfloat16"], new_name = lint.top["bf16"];
    if (!old_name || !new_name || new_name.json().is_null()) return;
    lint.at_key(old_name, {"bfloat16 is ignored, since bf16 is given too"}, {"keep bf16"});
}

inline void quantized_frozen_weights(Linting& lint) {
    if (!lint.at_stage(3, 3) || !lint.config.zero_config.zero_quantized_nontrainable_weights) return;
    if (lint.model_type() == DataType::fp16) return;
    lint.at_value(
        lint.zero["zero_quantized_nontrainable_weights"],
        {"only fp16 weights can be quantized: the first frozen parameter stops training with an assertion"},
        {"enable fp16, or remove it"});
}

inline constexpr Rule precision_rules[] = {
    {.code = "static-scale-ignores",
     .title = "Options of a dynamic loss scale beside a fixed one",
     .what = "A loss_scale other than 0 is fixed. How a dynamic one starts, grows and shrinks does not "
             "matter then.",
     .source = "runtime/fp16/loss_scaler.py, CreateLossScaler",
     .run = static_scale_ignores,
     .keys = "loss_scale",
     .severity = Severity::note,
     .bad = {R"({"train_batch_size": 8, "fp16": {"enabled": true, "loss_scale": 128, "hysteresis": 4}})"},
     .good = {R"({"train_batch_size": 8, "fp16": {"enabled": true, "loss_scale": 0, "hysteresis": 4}})"}},
    {.code = "master-weights",
     .title = "16-bit master weights that DeepSpeed cannot keep",
     .what = "Master weights and gradients in 16 bits need the optimizer on the host, and there DeepSpeed's "
             "own Adam. Only bf16 ones with bf16 optimizer states may stay on the device.",
     .source = "runtime/base_optimizer.py, _configure_master_weights",
     .run = master_weights,
     .keys = "fp16_master_weights_and_grads bf16_master_weights_and_grads",
     .bad = {R"({"train_batch_size": 8, "fp16": {"enabled": true, "fp16_master_weights_and_grads": true},
 "zero_optimization": {"stage": 2}})"},
     .good = {R"({"train_batch_size": 8, "fp16": {"enabled": true, "fp16_master_weights_and_grads": true},
 "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"}},
    {.code = "grad-overflow-unchecked",
     .title = "bf16 gradients are checked for overflow at stages 1 and 2 alone",
     .what = "bf16.check_grad_overflow is handed to the optimizer of stages 1 and 2. Stage 3 looks for "
             "overflow with fp16 only, and without ZeRO nothing does.",
     .source = "runtime/engine.py, _configure_zero_optimizer; runtime/zero/stage3.py, "
               "_overflow_check_and_loss_scale_update",
     .run = grad_overflow_unchecked,
     .keys = "check_grad_overflow",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true, "check_grad_overflow": true},
 "zero_optimization": {"stage": 3, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "bf16": {"enabled": true, "check_grad_overflow": true},
 "zero_optimization": {"stage": 2}})"}},
    {.code = "param-dtype",
     .title = "param_dtype contradicts fp16 and bf16",
     .what = "Master weights and reduction follow fp16.enabled and bf16.enabled. A different "
             "data_types.param_dtype is refused when the engine is built.",
     .source = "runtime/engine.py, _assert_valid_mixed_precision_config",
     .run = param_dtype,
     .keys = "param_dtype",
     .since = "0.19.2",
     .bad = {R"({"train_batch_size": 8, "data_types": {"param_dtype": "bf16"}})"},
     .good =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"param_dtype": "bf16"}})"}},
    {.code = "optimizer-states-overridden",
     .title = "bf16_optimizer_states overrides fp32_optimizer_states",
     .what = "Where both are given, the moments are kept in bf16. DeepSpeed logs a warning.",
     .source = "runtime/engine.py, get_optimizer_configuration",
     .run = optimizer_states_overridden,
     .keys = "fp32_optimizer_states",
     .since = "0.18.3",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true, "bf16_master_weights_and_grads": true,
 "bf16_optimizer_states": true}, "optimizer": {"type": "AdamW", "params": {"fp32_optimizer_states": true}},
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"},
     .good = {R"({"train_batch_size": 8, "bf16": {"enabled": true, "bf16_master_weights_and_grads": true,
 "bf16_optimizer_states": true}, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"}},
    {.code = "bfloat16-ignored",
     .title = "bf16 and bfloat16 in one document",
     .what = "bfloat16 is the old name of bf16, and read only where bf16 is absent or null.",
     .source = "runtime/precision_config.py, get_bfloat16_config",
     .run = bfloat16_ignored,
     .keys = "bfloat16",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": false}, "bfloat16": {"enabled": true}})"},
     .good = {R"({"train_batch_size": 8, "bfloat16": {"enabled": true}})"}},
    {.code = "quantized-frozen-weights",
     .title = "Only fp16 weights can be quantized",
     .what =
         "zero_quantized_nontrainable_weights asserts that a frozen weight is fp16 when it is partitioned.",
     .source = "runtime/zero/stage3.py, quantize_dstensor",
     .run = quantized_frozen_weights,
     .keys = "zero_quantized_nontrainable_weights",
     .since = "0.10.2",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "zero_optimization": {"stage": 3,
 "zero_quantized_nontrainable_weights": true, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "fp16": {"enabled": true}, "zero_optimization": {"stage": 3,
 "zero_quantized_nontrainable_weights": true, "stage3_gather_16bit_weights_on_model_save": true}})"}},
};

}  // namespace dszero::rules
