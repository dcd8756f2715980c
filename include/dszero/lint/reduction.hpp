// SPDX-License-Identifier: MIT
//
// Rules on what becomes of gradients on their way over the ranks.
#pragma once

#include <dszero/lint/linting.hpp>

#include <string>
#include <string_view>

namespace dszero::rules {

/// The key that scales gradients before they are reduced, if one does.
inline Spot prescaling(const Linting& lint) {
    const Spot prescale = lint.top["prescale_gradients"], factor = lint.top["gradient_predivide_factor"];
    if (lint.flag(prescale)) return prescale;
    const auto number = lint.number(factor);
    return number && *number != 1.0 ? factor : Spot{};
}

inline void prescale_reduce_scatter(Linting& lint) {
    const Spot spot = prescaling(lint);
    if (!spot || !lint.at_stage(2, 3) || !lint.config.zero_config.reduce_scatter) return;
    if (lint.stage() == 2 && lint.config.gradient_allreduce_op == GradientAllreduceOp::sum) return;
    lint.at_value(spot,
                  {spot.member->key,
                   " does not go with reduce_scatter, which is true unless it is set: deepspeed.initialize "
                   "stops with an assertion"},
                  {"remove it, or write \"reduce_scatter\": false"});
}

inline void prescale_ignored(Linting& lint) {
    const Spot spot = prescaling(lint);
    if (!spot || !lint.at_stage(1, 1) || !lint.config.zero_config.reduce_scatter) return;
    lint.at_value(
        spot,
        {spot.member->key, " has no effect at stage 1 with reduce_scatter, which is true unless it is set"},
        {"remove it, or write \"reduce_scatter\": false"});
}

inline void odd_allgather_bucket(Linting& lint) {
    if (!lint.at_stage(1, 2) || lint.config.zero_config.allgather_bucket_size % 2 == 0) return;
    lint.at_value(lint.zero["allgather_bucket_size"],
                  {"allgather_bucket_size must be even: deepspeed.initialize stops with an assertion"},
                  {"write ", std::to_string(lint.config.zero_config.allgather_bucket_size + 1)});
}

inline void unmanaged_accumulation(Linting& lint) {
    const Spot spot = lint.top["managed_gradient_accumulation"];
    if (!spot || is_truthy(spot.json())) return;
    const auto refuse = [&](std::string_view with) {
        lint.at_value(spot,
                      {"managed_gradient_accumulation false does not go with ", with,
                       ": deepspeed.initialize stops with an assertion"},
                      {"remove it"});
    };
    if (lint.at_stage(0, 1) && lint.config.zero_config.overlap_comm.value_or(false))
        refuse("overlap_comm below stage 2");
    if (lint.pipeline) refuse("a pipeline");
    if (lint.flag(lint.compile["deepcompile"])) refuse("deepcompile");
}

inline void muon_reduce_scatter(Linting& lint) {
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!lint.at_stage(3, 3) || lint.optimizer_type() != "muon") return;
    if (zero.reduce_scatter)
        lint.at_value(lint.optimizer["type"],
                      {"Muon at stage 3 needs reduce_scatter false, and it is true unless it is set: "
                       "deepspeed.initialize stops with a ValueError"},
                      {"write \"reduce_scatter\": false in zero_optimization"});
    if (zero.zero_quantized_gradients)
        lint.at_value(
            lint.zero["zero_quantized_gradients"],
            {"Muon does not go with zero_quantized_gradients: deepspeed.initialize stops with a ValueError"},
            {"remove it"});
}

inline void no_gradient_norm(Linting& lint) {
    const Spot spot = lint.zero["compute_grad_norm"];
    if (!lint.at_stage(1, 2) || lint.config.zero_config.compute_grad_norm) return;
    const auto clipping = lint.top["gradient_clipping"] ? lint.number(lint.top["gradient_clipping"]) : 1.0;
    const auto refuse = [&](std::string_view because, std::string_view hint) {
        lint.at_value(spot,
                      {"without the gradients' norm there is no ", because,
                       ": deepspeed.initialize stops with a ValueError"},
                      {hint});
    };
    if (clipping && *clipping > 0)
        refuse(lint.top["gradient_clipping"] ? "clipping" : "clipping, which is 1.0 unless it is set",
               "write \"gradient_clipping\": 0");
    if (lint.config.zero_config.zenflow) refuse("zenflow", "remove zenflow");
    if (lint.offloads_optimizer()) refuse("offload_optimizer", "remove offload_optimizer");
}

inline void overlap_race(Linting& lint) {
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!lint.at_stage(1, 2) || !zero.overlap_comm.value_or(false) || !zero.contiguous_gradients) return;
    lint.at_value(lint.zero["overlap_comm"],
                  {"in this release overlap_comm with contiguous_gradients can read a bucket before it is "
                   "filled: the gradients' norm becomes NaN now and then"},
                  {"write \"overlap_comm\": false, or use DeepSpeed 0.19.3"})
        .severity = Severity::note;
}

inline constexpr Rule reduction_rules[] = {
    {.code = "prescale-reduce-scatter",
     .title = "Gradients cannot be scaled before a reduce-scatter",
     .what = "Stages 2 and 3 assert that prescale_gradients is false and gradient_predivide_factor is 1 "
             "where reduce_scatter is true, and it is by default.",
     .source = "runtime/zero/stage_1_and_2.py and stage3.py, __init__",
     .run = prescale_reduce_scatter,
     .keys = "prescale_gradients gradient_predivide_factor",
     .bad = {R"({"train_batch_size": 8, "prescale_gradients": true, "zero_optimization": {"stage": 2}})"},
     .good = {R"({"train_batch_size": 8, "prescale_gradients": true,
 "zero_optimization": {"stage": 2, "reduce_scatter": false}})"}},
    {.code = "prescale-ignored",
     .title = "Stage 1 does not scale gradients before a reduce-scatter",
     .what = "At stage 1 with reduce_scatter, gradients are divided by the number of ranks and nothing else, "
             "whatever prescale_gradients and gradient_predivide_factor say.",
     .source = "runtime/zero/stage_1_and_2.py, average_tensor",
     .run = prescale_ignored,
     .keys = "prescale_gradients gradient_predivide_factor",
     .bad =
         {R"({"train_batch_size": 8, "gradient_predivide_factor": 2.0, "zero_optimization": {"stage": 1}})"},
     .good =
         {R"({"train_batch_size": 8, "gradient_predivide_factor": 1.0, "zero_optimization": {"stage": 1}})"}},
    {.code = "odd-allgather-bucket",
     .title = "allgather_bucket_size must be even",
     .what = "Stages 1 and 2 assert that allgather_bucket_size is a multiple of 2, NCCL's alignment.",
     .source = "runtime/zero/stage_1_and_2.py, __init__",
     .run = odd_allgather_bucket,
     .keys = "allgather_bucket_size allgather_size",
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "allgather_bucket_size": 50000001}})"},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "reduce_bucket_size": 50000001}})"}},
    {.code = "unmanaged-accumulation",
     .title = "What does not go with unmanaged gradient accumulation",
     .what = "With managed_gradient_accumulation false, deepspeed.initialize asserts that there is neither a "
             "pipeline nor DeepCompile, and overlap_comm only at stages 2 and 3.",
     .source = "runtime/engine.py, _do_sanity_check",
     .run = unmanaged_accumulation,
     .keys = "managed_gradient_accumulation",
     .since = "0.19.4",
     .bad = {R"({"train_batch_size": 8, "managed_gradient_accumulation": false,
 "zero_optimization": {"stage": 1, "overlap_comm": true}})"},
     .good = {R"({"train_batch_size": 8, "managed_gradient_accumulation": false,
 "zero_optimization": {"stage": 2, "overlap_comm": true}})"}},
    {.code = "muon-reduce-scatter",
     .title = "Muon at stage 3 without reduce_scatter",
     .what = "Muon needs whole gradients, so stage 3 raises a ValueError where reduce_scatter is true, and "
             "it is by default.",
     .source = "runtime/zero/stage3.py, __init__",
     .run = muon_reduce_scatter,
     .keys = "optimizer",
     .since = "0.18.9",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "Muon"}, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "Muon"}, "zero_optimization": {"stage": 3,
 "reduce_scatter": false, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "no-gradient-norm",
     .title = "What needs the gradients' norm",
     .what = "compute_grad_norm false excludes clipping (1.0 by default), ZenFlow and offload_optimizer. The "
             "optimizer raises a ValueError.",
     .source = "runtime/zero/stage_1_and_2.py, __init__",
     .run = no_gradient_norm,
     .keys = "compute_grad_norm",
     .since = "0.19.7",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "compute_grad_norm": false}})"},
     .good = {R"({"train_batch_size": 8, "gradient_clipping": 0,
 "zero_optimization": {"stage": 2, "compute_grad_norm": false}})"}},
    {.code = "overlap-race",
     .title = "A race of overlap_comm with contiguous gradients",
     .what = "Before 0.19.3 a bucket could be reduced before every stream had filled it. Users saw norms of "
             "NaN. The default of contiguous_gradients is true.",
     .source = "DeepSpeed issues 7188, 5545 and 8061, mended in 8080",
     .run = overlap_race,
     .keys = "overlap_comm",
     .severity = Severity::note,
     .until = "0.19.3",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "overlap_comm": true}})",
             {},
             "0.18.9"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "overlap_comm": true}})"}},
};

}  // namespace dszero::rules
