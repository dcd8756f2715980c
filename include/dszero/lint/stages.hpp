// SPDX-License-Identifier: MIT
//
// Rules on what a ZeRO stage makes of an option: what is not looked at, what works
// in another way than it says, and the stage that was never chosen.
#pragma once

#include <dszero/lint/linting.hpp>
#include <dszero/lint/stage_keys.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero::rules {

/// Whether a value was meant to change something: it is not the default.
inline bool is_meant(const Row& row, const Linting& lint) {
    const DeepSpeedZeroConfig defaults;
    const Writing w{lint.release(), true};
    const auto& section = dszero::section<DeepSpeedZeroConfig>;
    return row.type->write(section.member(&defaults, row), w) !=
           row.type->write(section.member(&lint.config.zero_config, row), w);
}

inline void no_effect_at_stage(Linting& lint) {
    if (!lint.at_stage(1, 3)) return;
    const int stage = lint.stage();
    for (const Member& member : lint.zero) {
        const Spot spot{&lint.zero, &member};
        const StageKey* const entry = find_stage_key(member.key);
        if (!entry || (entry->first <= stage && stage <= entry->last)) continue;
        const Row* row = find_row(section<DeepSpeedZeroConfig>, member.key);
        if (!row->known_to(lint.release()) || !spot.is_set()) continue;
        if (entry->key == "offload_param" && !lint.offloads_param()) continue;  // it is off anyway
        Diagnostic& d = lint.at_key(
            spot, {member.key, " has no effect at stage ", std::to_string(stage), ": ", entry->instead},
            {"remove it, or choose stage ", std::to_string(entry->first),
             entry->first == entry->last ? "" : " or 2"});
        if (!is_meant(*row, lint)) d.severity = Severity::note;
    }
}

inline void zero_off(Linting& lint) {
    if (!lint.at_stage(0, 0) || lint.zero.empty()) return;
    if (const Spot stage = lint.zero["stage"]) {
        std::string others;
        std::size_t count = 0;
        for (const Member& member : lint.zero) {
            const Spot spot{&lint.zero, &member};
            if (member.key == "stage" || !spot.is_set()) continue;
            if (member.key == "offload_optimizer" && lint.offloads_optimizer()) continue;  // has a rule
            if (member.key == "zenflow") continue;  // sets the accumulation steps at any stage
            if (++count <= 3) others += (count == 1 ? "" : ", ") + std::string(member.key);
        }
        if (count == 0) return;
        if (count > 3) others += " and " + std::to_string(count - 3) + " more";
        Diagnostic& d = lint.at_value(
            stage, {"stage 0 is no ZeRO: ", others, count == 1 ? " has" : " have", " no effect"},
            {"choose stage 1, 2 or 3, or remove what has no effect"});
        d.severity = Severity::note;
        return;
    }
    lint.at_key(lint.top["zero_optimization"],
                {"zero_optimization has no stage, so it is 0: ZeRO is off, and nothing in this section has "
                 "an effect"},
                {"write \"stage\": 1, 2 or 3"});
}

inline void offload_optimizer_at_stage_0(Linting& lint) {
    if (!lint.at_stage(0, 0) || !lint.offloads_optimizer() || lint.around.accelerator == Accelerator::cpu)
        return;
    const std::string_view type = lint.optimizer_type();
    const bool host = lint.has_adam() || type == "adagrad" || type == "lion";
    if (!host || lint.flag(lint.optimizer_params["torch_adam"])) return;
    lint.at_key(lint.offloaded_optimizer(),
                {"at stage 0 nothing is offloaded, yet the optimizer becomes the one for the host: it meets "
                 "parameters on the device and fails at the first step"},
                {"choose stage 1, 2 or 3, or remove offload_optimizer"});
}

inline void bf16_optimizer_ignores(Linting& lint) {
    if (!lint.at_stage(1, 1) || !lint.config.bfloat16_config.enabled ||
        lint.accumulation_type() != DataType::fp32 || lint.optimizer_device() == OffloadDeviceEnum::cpu)
        return;
    constexpr std::array keys = {"reduce_bucket_size",    "overlap_comm",
                                 "reduce_scatter",        "contiguous_gradients",
                                 "round_robin_gradients", "use_multi_rank_bucket_allreduce"};
    for (const std::string_view key : keys)
        if (const Spot spot = lint.zero[key]; spot.is_set())
            lint.at_key(spot,
                        {key,
                         " has no effect: bf16 at stage 1 with fp32 accumulation runs in BF16_Optimizer, "
                         "which reduces all gradients at the end of the step"},
                        {"remove it, or choose stage 2"});
    if (const Spot spot = lint.bf16["check_grad_overflow"]; spot.is_set())
        lint.at_key(spot,
                    {"check_grad_overflow has no effect: bf16 at stage 1 with fp32 accumulation runs in "
                     "BF16_Optimizer, which has no such check"},
                    {"remove it, or choose stage 2"});
}

inline void gradients_not_reduced(Linting& lint) {
    if (!lint.at_stage(1, 1) || lint.accumulation_type() == lint.model_type()) return;
    const bool bf16_optimizer = lint.model_type() == DataType::bf16 &&
                                lint.accumulation_type() == DataType::fp32 &&
                                lint.optimizer_device() != OffloadDeviceEnum::cpu;
    if (bf16_optimizer || lint.around.world_size == 1) return;
    lint.at_value(lint.data_types["grad_accum_dtype"],
                  {"at stage 1 with gradients accumulated in another type than the model's, the sum over the "
                   "ranks is written to a copy and lost: each rank steps on its own gradient"},
                  {"choose stage 2, or remove grad_accum_dtype"});
}

inline void accumulation_type_ignored(Linting& lint) {
    if (!lint.at_stage(2, 2) || lint.accumulation_type() == lint.model_type()) return;
    lint.at_value(lint.data_types["grad_accum_dtype"],
                  {"at stage 2 gradients are summed up in the model's type (", to_string(lint.model_type()),
                   "), whatever grad_accum_dtype says"},
                  {"choose stage 1 (bf16) or 3, or remove it"});
}

inline void accumulation_type_without_zero(Linting& lint) {
    const Spot spot = lint.data_types["grad_accum_dtype"];
    if (!lint.at_stage(0, 0) || !spot.is_set() || !spot.json().is_string()) return;
    // bf16 was accumulated in fp32 then, by a wrapper of its own; a pipeline could do without
    const bool is_wrapped = lint.model_type() == DataType::bf16 && lint.release() < Release("0.17.6");
    if (is_wrapped && lint.top["pipeline"]) return;
    const DataType wanted = is_wrapped ? DataType::fp32 : lint.model_type();
    if (data_type_named(string_in(spot.json())).value_or(wanted) == wanted) return;
    lint.at_value(spot,
                  {"without ZeRO gradients must be accumulated in ", to_string(wanted),
                   is_wrapped ? ", before 0.17.6" : ", the model's type",
                   ": deepspeed.initialize raises NotImplementedError"},
                  {"remove grad_accum_dtype, or choose a ZeRO stage"});
}

inline void contiguous_forced(Linting& lint) {
    const Spot spot = lint.zero["contiguous_gradients"];
    if (!lint.at_stage(1, 2) || !lint.offloads_optimizer() || !spot.is_set() ||
        lint.config.zero_config.contiguous_gradients)
        return;
    lint.at_value(spot, {"contiguous_gradients is true all the same: offload_optimizer needs it"},
                  {"remove it"});
}

inline void reduce_scatter_all_the_same(Linting& lint) {
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!lint.at_stage(3, 3) || zero.reduce_scatter || zero.contiguous_gradients) return;
    lint.at_value(
        lint.zero["reduce_scatter"],
        {"at stage 3 gradients are reduce-scattered all the same, since contiguous_gradients is false"},
        {"remove reduce_scatter, or set contiguous_gradients to true"});
}

inline void checkpoint_without_weights(Linting& lint) {
    if (!lint.at_stage(3, 3) || lint.config.zero_config.gather_16bit_weights_on_model_save) return;
    const Spot spot = lint.zero["stage3_gather_16bit_weights_on_model_save"];
    Diagnostic& d =
        lint.at_value(spot ? spot : lint.zero["stage"],
                      {"at stage 3 without stage3_gather_16bit_weights_on_model_save no model file is "
                       "written: save_16bit_model does nothing, and a state_dict() has empty weights"},
                      {"set it to true, or put the checkpoint's shards together with zero_to_fp32.py"});
    d.severity = Severity::note;
}

inline constexpr Rule stage_rules[] = {
    {.code = "no-effect-at-stage",
     .title = "An option that this stage does not look at",
     .what = "DeepSpeed accepts every option at every stage, and looks only at those of the stage that runs. "
             "The others do nothing. A value that is the default is a note, one that was meant to change "
             "something a warning.",
     .source = "runtime/engine.py, _configure_zero_optimizer",
     .run = no_effect_at_stage,
     .keys = "zero_optimization",
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_param": {"device": "cpu"}}})"},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "round_robin_gradients": true}})"}},
    {.code = "zero-off",
     .title = "A zero_optimization without ZeRO",
     .what = "The stage is 0 unless the document says otherwise, and stage 0 is plain data parallelism: "
             "nothing else in the section has an effect.",
     .source = "runtime/zero/config.py, stage",
     .run = zero_off,
     .keys = "zero_optimization",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"overlap_comm": true}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 0}})"}},
    {.code = "offload-optimizer-at-stage-0",
     .title = "offload_optimizer without ZeRO fails at the first step",
     .what = "At stage 0 no optimizer state is offloaded, but DeepSpeed still builds its optimizer for the "
             "host. That finds its parameters on the device and stops with an assertion (CPUAdam param is on "
             "cuda and must be 'cpu').",
     .source = "runtime/engine.py, zero_use_cpu_optimizer; ops/adam/cpu_adam.py, step",
     .run = offload_optimizer_at_stage_0,
     .keys = "offload_optimizer cpu_offload",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 0, "offload_optimizer": {"device": "cpu"}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 1, "offload_optimizer": {"device": "cpu"}}})"}},
    {.code = "bf16-optimizer-ignores",
     .title = "Options that BF16_Optimizer does not look at",
     .what = "bf16 at stage 1 with gradients accumulated in fp32 runs in an optimizer of its own, which is "
             "given none of the options of gradient reduction.",
     .source = "runtime/engine.py, _configure_bf16_optimizer",
     .run = bf16_optimizer_ignores,
     .keys = "bf16 bfloat16",
     .since = "0.7.6",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp32"},
 "zero_optimization": {"stage": 1, "reduce_bucket_size": 50000000}})"},
     .good =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "bf16"},
 "zero_optimization": {"stage": 1, "reduce_bucket_size": 50000000}})"}},
    {.code = "gradients-not-reduced",
     .title = "Each rank steps on its own gradient",
     .what = "At stage 1, where gradients are accumulated in another type than the model's and "
             "BF16_Optimizer does not run, the reduced gradient is written to a temporary copy and dropped. "
             "Each rank updates its slice of the weights by its own gradient alone.",
     .source = "runtime/zero/stage_1_and_2.py, copy_grads_in_partition",
     .run = gradients_not_reduced,
     .keys = "grad_accum_dtype",
     .since = "0.10.1",
     .until = "0.19.8",
     .bad = {R"({"train_batch_size": 8, "fp16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp32"},
 "zero_optimization": {"stage": 1}})",
             {.world_size = 2},
             "0.19.7"},
     .good =
         {R"({"train_batch_size": 8, "fp16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp16"},
 "zero_optimization": {"stage": 1}})",
          {.world_size = 2},
          "0.19.7"}},
    {.code = "accumulation-type-ignored",
     .title = "Stage 2 accumulates in the model's type",
     .what = "Stage 2 adds each micro-step's gradient to its partition in the model's type. "
             "data_types.grad_accum_dtype changes nothing. 0.19.8 accumulates in fp32 where it is asked to.",
     .source = "runtime/zero/stage_1_and_2.py, get_all_grad_tensors",
     .run = accumulation_type_ignored,
     .keys = "grad_accum_dtype",
     .since = "0.10.1",
     .until = "0.19.8",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp32"},
 "zero_optimization": {"stage": 2}})",
             {},
             "0.19.7"},
     .good =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "bf16"},
 "zero_optimization": {"stage": 2}})",
          {},
          "0.19.7"}},
    {.code = "accumulation-type-without-zero",
     .title = "Without ZeRO gradients are accumulated in the model's type",
     .what = "At stage 0 DeepSpeed has no optimizer that could accumulate in another type than the model's, "
             "and says so only when it is initialized. Before 0.17.6 that of bf16 is fp32.",
     .source = "runtime/engine.py, _do_optimizer_sanity_check",
     .run = accumulation_type_without_zero,
     .keys = "grad_accum_dtype",
     .since = "0.7.6",
     .bad =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "fp32"}})"},
     .good =
         {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": "bf16"}})"}},
    {.code = "contiguous-gradients-forced",
     .title = "Offloading makes gradients contiguous",
     .what =
         "At stages 1 and 2 with offload_optimizer, contiguous_gradients is true whatever the document says.",
     .source = "runtime/zero/stage_1_and_2.py, __init__",
     .run = contiguous_forced,
     .keys = "contiguous_gradients",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "Adam"},
 "zero_optimization": {"stage": 2, "contiguous_gradients": false, "offload_optimizer": {"device": "cpu"}}})"},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "contiguous_gradients": false}})"}},
    {.code = "reduce-scatter-all-the-same",
     .title = "Stage 3 reduce-scatters where gradients are not contiguous",
     .what = "Stage 3 all-reduces only contiguous gradients. With contiguous_gradients false, reduce_scatter "
             "false changes nothing.",
     .source = "runtime/zero/stage3.py, __reduce_and_partition_ipg_grads",
     .run = reduce_scatter_all_the_same,
     .keys = "reduce_scatter",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "reduce_scatter": false,
 "contiguous_gradients": false, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "reduce_scatter": false,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "checkpoint-without-weights",
     .title = "Stage 3 saves no whole model",
     .what = "At stage 3 each rank has a slice of each weight. Unless they are gathered, save_16bit_model "
             "returns without writing, and the model's own state_dict() holds tensors of size 0.",
     .source = "runtime/engine.py, save_16bit_model",
     .run = checkpoint_without_weights,
     .keys = "stage",
     .severity = Severity::note,
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
};

}  // namespace dszero::rules
