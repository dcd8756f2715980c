// SPDX-License-Identifier: MIT
//
// Rules on what only older releases read, or could not do yet.
#pragma once

#include <dszero/lint/linting.hpp>

#include <string>
#include <string_view>

namespace dszero::rules {

inline bool has_amp(const Linting& lint) {
    const Spot amp = lint.top["amp"];
    return amp && lint.flag_at("/amp/enabled");
}
inline void amp_with_zero(Linting& lint) {
    if (!lint.at_stage(1, 3) || !has_amp(lint)) return;
    lint.at_key(lint.top["amp"],
                {"Apex's amp does not go with ZeRO: deepspeed.initialize stops with an assertion"},
                {"use fp16 or bf16"});
}
inline void amp_with_precision(Linting& lint) {
    if (!lint.at_stage(0, 0) || lint.model_type() == DataType::fp32 || !has_amp(lint)) return;
    lint.at_key(lint.top["amp"],
                {"Apex's amp does not go with ", to_string(lint.model_type()),
                 ": deepspeed.initialize stops with an error"},
                {"use one of them"});
}

inline void sparse_gradients_with_zero(Linting& lint) {
    const Spot sparse = lint.top["sparse_gradients"];
    if (!lint.at_stage(1, 3) || !lint.flag(sparse)) return;
    lint.at_key(sparse,
                {"sparse_gradients has no effect with ZeRO, which reduces all gradients in the same buckets"},
                {"remove it"});
}

/// Mixture of quantization: weights are quantized by the optimizer's step.
inline void quantization_without_fp16(Linting& lint) {
    const Spot compression = lint.top["compression_training"];
    constexpr std::string_view shared = "/compression_training/weight_quantization/shared_parameters/";
    if (!compression || lint.config.float16_config.enabled || lint.is_reported(lint.fp16["enabled"])) return;
    if (!lint.flag_at(std::string(shared) + "enabled") ||
        lint.flag_at(std::string(shared) + "quantize_weight_in_forward"))
        return;
    lint.at_key(
        compression,
        {"weight_quantization needs fp16, or quantize_weight_in_forward: deepspeed.initialize stops with an "
         "assertion"},
        {"enable fp16, or quantize in forward"});
}

inline void zeropp_loco(Linting& lint) {
    const Spot loco = lint.zero["zeropp_loco_param"];
    if (!loco.is_set() || !loco.json().is_object()) return;
    if (!lint.at_stage(3, 3) || !lint.config.zero_config.zero_quantized_gradients) {
        lint.at_key(loco, {"zeropp_loco_param has no effect without zero_quantized_gradients at stage 3"},
                    {"add zero_quantized_gradients, or remove it"});
        return;
    }
    const Members members = lint.reading().members_of(loco.member->value);
    for (const std::string_view key : {"err_beta", "reset_T"})
        if (!find_member(members, key)) {
            lint.at_key(loco,
                        {"zeropp_loco_param has no ", key,
                         ": on several nodes the first backward pass stops with a KeyError"},
                        {"write {\"err_beta\": 0.8, \"reset_T\": 1024}"});
            return;
        }
}

inline void tensor_parallel_stage_3(Linting& lint) {
    if (!lint.at_stage(3, 3) || lint.config.tensor_parallel_config.autotp_size <= 1) return;
    lint.at_key(lint.top["tensor_parallel"],
                {"tensor_parallel does not go with stage 3 before 0.19.4: deepspeed.initialize stops with an "
                 "assertion"},
                {"use stage 2, or a newer DeepSpeed"});
}

inline void muon_stage_3(Linting& lint) {
    if (!lint.at_stage(3, 3) || lint.optimizer_type() != "muon") return;
    lint.at_value(
        lint.optimizer["type"],
        {"Muon does not go with stage 3 before 0.18.9: deepspeed.initialize stops with an assertion"},
        {"use stage 2, or a newer DeepSpeed"});
}

inline void accumulation_type_with_zero(Linting& lint) {
    const DataType accumulated = lint.accumulation_type(), model = lint.model_type();
    if (!lint.at_stage(1, 3) || accumulated == model) return;
    const bool wrapped = lint.stage() == 1 && model == DataType::bf16 && accumulated == DataType::fp32;
    if (wrapped && lint.release() >= Release("0.8.1")) return;
    lint.at_value(lint.data_types["grad_accum_dtype"],
                  {"with ZeRO gradients must be accumulated in the model's type, ", to_string(model),
                   ", before 0.10.1: deepspeed.initialize raises NotImplementedError"},
                  {"remove grad_accum_dtype"});
}

inline constexpr Rule older_rules[] = {
    {.code = "amp-with-zero",
     .title = "Apex's amp does not go with ZeRO",
     .what = "deepspeed.initialize asserts that amp is off where ZeRO is on. 0.19.8 refuses amp altogether.",
     .source = "runtime/engine.py of 0.19.7, _do_optimizer_sanity_check",
     .run = amp_with_zero,
     .keys = "amp",
     .until = "0.19.8",
     .bad = {R"({"train_batch_size": 8, "amp": {"enabled": true}, "zero_optimization": {"stage": 1}})",
             {},
             "0.18.9"},
     .good = {R"({"train_batch_size": 8, "amp": {"enabled": true}})", {}, "0.18.9"}},
    {.code = "amp-with-precision",
     .title = "Apex's amp beside fp16 or bf16",
     .what = "amp chooses types by itself. deepspeed.initialize raises NotImplementedError (AssertionError "
             "before "
             "0.7.6) where fp16 or bf16 is enabled, too.",
     .source = "runtime/engine.py of 0.19.7, _do_optimizer_sanity_check",
     .run = amp_with_precision,
     .keys = "amp",
     .until = "0.19.8",
     .bad = {R"({"train_batch_size": 8, "amp": {"enabled": true}, "fp16": {"enabled": true}})", {}, "0.18.9"},
     .good = {R"({"train_batch_size": 8, "amp": {"enabled": true}, "fp16": {"enabled": false}})",
              {},
              "0.18.9"}},
    {.code = "sparse-gradients-with-zero",
     .title = "ZeRO sends gradients of embeddings densely",
     .what = "Only the reduction of stage 0 looks at sparse_gradients. With ZeRO DeepSpeed logs that it will "
             "convert an embedding's gradient, and does not.",
     .source = "runtime/engine.py of 0.19.7, allreduce_gradients",
     .run = sparse_gradients_with_zero,
     .keys = "sparse_gradients",
     .until = "0.19.8",
     .bad = {R"({"train_batch_size": 8, "sparse_gradients": true, "zero_optimization": {"stage": 1}})",
             {},
             "0.18.9"},
     .good = {R"({"train_batch_size": 8, "sparse_gradients": true})", {}, "0.18.9"}},
    {.code = "quantization-without-fp16",
     .title = "Weights are quantized by the step in fp16 only",
     .what =
         "Where weight_quantization is enabled and does not happen in the forward pass, the optimizer's step "
         "does it, and deepspeed.initialize asserts that fp16 is enabled.",
     .source = "runtime/engine.py of 0.19.6, _configure_quantization",
     .run = quantization_without_fp16,
     .keys = "compression_training",
     .until = "0.19.7",
     .bad =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "compression_training": {"weight_quantization": {
 "shared_parameters": {"enabled": true}, "different_groups": {}}}})",
          {},
          "0.18.9"},
     .good =
         {R"({"train_batch_size": 8, "fp16": {"enabled": true}, "compression_training": {"weight_quantization": {
 "shared_parameters": {"enabled": true}, "different_groups": {}}}})",
          {},
          "0.18.9"}},
    {.code = "zeropp-loco",
     .title = "LoCo without its keys, or without quantized gradients",
     .what = "zeropp_loco_param is kept as it is. Only the quantized reduction of stage 3 across nodes reads "
             "err_beta "
             "and reset_T, and it has no defaults for them.",
     .source = "runtime/comm/coalesced_collectives.py of 0.19.7, all_to_all_loco_quant_reduce",
     .run = zeropp_loco,
     .keys = "zeropp_loco_param",
     .since = "0.16.2",
     .until = "0.19.8",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "zero_quantized_gradients": true,
 "zeropp_loco_param": {"err_beta": 0.8}, "stage3_gather_16bit_weights_on_model_save": true}})",
             {},
             "0.18.9"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "zero_quantized_gradients": true,
 "zeropp_loco_param": {"err_beta": 0.8, "reset_T": 1024}, "stage3_gather_16bit_weights_on_model_save": true}})",
              {},
              "0.18.9"}},
    {.code = "tensor-parallel-stage-3",
     .title = "Tensor parallelism did not go with stage 3",
     .what = "Where autotp_size is above 1, releases before 0.19.4 assert that the stage is at most 2.",
     .source = "runtime/engine.py of 0.19.3, _configure_tensor_parallel_states",
     .run = tensor_parallel_stage_3,
     .keys = "tensor_parallel",
     .since = "0.16.4",
     .until = "0.19.4",
     .bad =
         {R"({"train_batch_size": 8, "tensor_parallel": {"autotp_size": 2}, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})",
          {},
          "0.18.9"},
     .good =
         {R"({"train_batch_size": 8, "tensor_parallel": {"autotp_size": 2}, "zero_optimization": {"stage": 2}})",
          {},
          "0.18.9"}},
    {.code = "muon-stage-3",
     .title = "Muon did not go with stage 3",
     .what =
         "Until 0.18.8 deepspeed.initialize asserts that the stage is at most 2 where the optimizer is Muon.",
     .source = "runtime/engine.py of 0.18.8, _configure_basic_optimizer",
     .run = muon_stage_3,
     .keys = "optimizer",
     .since = "0.17.6",
     .until = "0.18.9",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "Muon"}, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})",
             {},
             "0.18.8"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})",
              {},
              "0.18.8"}},
    {.code = "accumulation-type-with-zero",
     .title = "ZeRO accumulated in the model's type only",
     .what = "Until 0.10.0 deepspeed.initialize raises NotImplementedError where ZeRO is on and "
             "grad_accum_dtype is "
             "another type than the model's; from 0.8.1 on but for bf16 in fp32 at stage 1.",
     .source = "runtime/engine.py of 0.10.0, _do_optimizer_sanity_check",
     .run = accumulation_type_with_zero,
     .keys = "grad_accum_dtype",
     .since = "0.7.6",
     .until = "0.10.1",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp32"},
 "zero_optimization": {"stage": 2}})",
             {},
             "0.9.5"},
     .good =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "bf16"},
 "zero_optimization": {"stage": 2}})",
          {},
          "0.9.5"}},
};

}  // namespace dszero::rules
