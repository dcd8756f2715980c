// SPDX-License-Identifier: MIT
//
// Rules on ZeRO++, ZenFlow, pipelines and compiled graphs. Some need the world size and
// the devices of a node.
#pragma once

#include <dszero/lint/linting.hpp>

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

namespace dszero::rules {

inline void hpz_world_size(Linting& lint) {
    const std::int64_t size = lint.config.zero_config.zero_hpz_partition_size, world = lint.around.world_size;
    if (!lint.at_stage(3, 3) || size <= 1 || world % std::min(size, world) == 0) return;
    lint.at_value(lint.zero["zero_hpz_partition_size"],
                  {std::to_string(world), " ranks cannot be dealt out in groups of ", std::to_string(size),
                   ": deepspeed.initialize stops with an assertion"},
                  {"choose a divisor of the number of ranks, best that of a node's devices"});
}

inline void qgz_reduce_scatter(Linting& lint) {
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!lint.at_stage(3, 3) || !zero.zero_quantized_gradients || zero.reduce_scatter) return;
    lint.at_value(
        lint.zero["reduce_scatter"],
        {"zero_quantized_gradients needs reduce_scatter: deepspeed.initialize stops with an assertion"},
        {"remove reduce_scatter"});
}

inline void qgz_nodes(Linting& lint) {
    const std::int64_t world = lint.around.world_size, node = lint.around.gpus_per_node;
    if (!lint.config.zero_config.zero_quantized_gradients || node == 0) return;
    const Spot spot = lint.zero["zero_quantized_gradients"];
    if (world > node && world < 2 * node)
        lint.at_value(spot,
                      {std::to_string(world), " ranks are more than one node's ", std::to_string(node),
                       " devices and less than two nodes': the groups for quantized gradients cannot be made "
                       "(num_gpus not equal to device per node)"},
                      {"use whole nodes"});
    else if (lint.at_stage(3, 3) && world <= node)
        lint.at_value(spot,
                      {"zero_quantized_gradients has no effect on one node: gradients are reduce-scattered "
                       "as they are"},
                      {"remove it, or use several nodes"});
}

inline void mics(Linting& lint) {
    const std::int64_t shard = lint.config.zero_config.mics_shard_size, world = lint.around.world_size;
    if (!lint.at_stage(3, 3) || shard <= 0) return;
    const Spot size = lint.zero["mics_shard_size"];
    const std::int64_t node = lint.around.gpus_per_node;
    if (world > 1 && world % shard != 0)
        lint.at_value(size,
                      {std::to_string(world), " ranks cannot be dealt out in shards of ",
                       std::to_string(shard), ": deepspeed.initialize stops with an assertion"},
                      {"choose a divisor of the number of ranks"});
    else if (node > 0 && shard / node <= 1 && lint.config.zero_config.mics_hierarchical_params_gather)
        lint.at_value(lint.zero["mics_hierarchical_params_gather"],
                      {"a shard of ", std::to_string(shard), " ranks does not span several nodes of ",
                       std::to_string(node), ": deepspeed.initialize stops with an assertion"},
                      {"remove it"});
    if (!lint.offloads_optimizer()) return;
    if (world > shard)
        lint.at_key(
            lint.offloaded_optimizer(),
            {"MiCS with several copies of the model does not go with offload_optimizer: backward stops "
             "with a RuntimeError (Local sharding has no support for CPU offloading)"},
            {"remove one of them"});
    else if (lint.optimizer_device() == OffloadDeviceEnum::cpu && lint.release() >= Release("0.12.3"))
        lint.at_key(lint.offloaded_optimizer(),
                    {"with mics_shard_size nothing is offloaded: ratio is not handed on, and counts as 0"},
                    {"remove one of them"});
}

inline void all_reduce_fetch(Linting& lint) {
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!lint.at_stage(3, 3) || !zero.use_all_reduce_for_fetch_params) return;
    const std::string_view with = zero.zero_quantized_weights        ? "zero_quantized_weights"
                                  : zero.zero_hpz_partition_size > 1 ? "zero_hpz_partition_size"
                                  : zero.allgather_sequential        ? "stage3_allgather_sequential"
                                                                     : "";
    if (with.empty()) return;
    lint.at_key(lint.zero["stage3_use_all_reduce_for_fetch_params"],
                {"stage3_use_all_reduce_for_fetch_params has no effect with ", with}, {"remove one of them"});
}

inline void sequential_prefetch(Linting& lint) {
    const Spot spot = lint.zero["stage3_prefetch_bucket_size"];
    if (!lint.at_stage(3, 3) || !lint.config.zero_config.allgather_sequential || !spot.is_set()) return;
    lint.at_value(spot,
                  {"stage3_prefetch_bucket_size becomes 1: stage3_allgather_sequential fetches parameters "
                   "one after the other"},
                  {"remove it"});
}

inline void qwz_autocast(Linting& lint) {
    const Spot spot = lint.torch_autocast["enabled"];
    if (!lint.config.zero_config.zero_quantized_weights || !lint.flag(spot)) return;
    lint.at_value(spot,
                  {"torch_autocast does not go with zero_quantized_weights: deepspeed.initialize stops with "
                   "an assertion"},
                  {"remove one of them"});
}

inline void zenflow(Linting& lint) {
    const auto& config = lint.config.zero_config.zenflow;
    if (!config || !lint.at_stage(1, 3)) return;
    if (!lint.offloads_optimizer() && lint.stage() < 3)
        lint.at_key(lint.zero["zenflow"],
                    {"zenflow needs offload_optimizer: deepspeed.initialize stops with a ValueError"},
                    {"add \"offload_optimizer\": {\"device\": \"cpu\"}"});
    if (config->offload && !lint.config.zero_config.overlap_comm.value_or(false))
        lint.at_value(lint.zenflow["offload"],
                      {"zenflow.offload needs overlap_comm: deepspeed.initialize stops with an assertion"},
                      {"write \"overlap_comm\": true"});
    const auto selected = config->select_interval.steps, updated = config->update_interval.steps;
    if (config->select_strategy == "auto" && selected)
        lint.at_value(lint.zenflow["select_interval"],
                      {"select_interval must be \"auto\" where select_strategy is auto: deepspeed.initialize "
                       "raises a Warning, which ends it"},
                      {"remove it, or write \"select_strategy\": \"step\""});
    if (config->select_strategy != "auto" && !selected)
        lint.at_value(lint.zenflow["select_strategy"],
                      {"select_strategy ", config->select_strategy,
                       " needs a number for select_interval: deepspeed.initialize stops with a ValueError"},
                      {"add select_interval"});
    if (config->select_strategy == "step" && selected && updated && *selected != 0 && *selected < *updated)
        lint.at_value(lint.zenflow["select_interval"],
                      {"select_interval must not be below update_interval, ", std::to_string(*updated),
                       ": deepspeed.initialize stops with a ValueError"},
                      {"make it larger"});
}

inline void deepcompile_offload(Linting& lint) {
    if (!lint.at_stage(3, 3) || !lint.flag(lint.compile["deepcompile"])) return;
    const Spot states = lint.compile["offload_opt_states"], params = lint.compile["offload_parameters"],
               activation = lint.compile["offload_activation"];
    if (lint.flag(states) && lint.offloads_optimizer())
        lint.at_value(
            states,
            {"offload_opt_states does not go with offload_optimizer: engine.compile stops with a ValueError"},
            {"keep one of them"});
    if (lint.flag(activation) && (lint.flag(states) || lint.flag(params)))
        lint.at_value(activation,
                      {"offload_activation does not go with another offloading pass: engine.compile stops "
                       "with a ValueError"},
                      {"keep one of them"});
    else if (lint.flag(states) && lint.flag(params))
        lint.at_value(params,
                      {"offload_parameters does not go with offload_opt_states: engine.compile stops with a "
                       "ValueError"},
                      {"keep one of them"});
}

inline void pipeline_stage(Linting& lint) {
    const Spot spot = lint.top["pipeline"];
    if (!lint.pipeline || !lint.at_stage(2, 3)) return;
    lint.at_key(
        spot,
        {"pipeline is read for a PipelineModule alone, and that refuses stages 2 and 3 with an assertion"},
        {"choose stage 1, or remove pipeline"});
}

inline void pipeline_loading(Linting& lint) {
    if (!lint.config.zero_config.pipeline_loading_checkpoint || !lint.at_stage(0, 2)) return;
    lint.at_value(lint.zero["pipeline_loading_checkpoint"],
                  {"pipeline_loading_checkpoint is for stage 3: load_checkpoint stops with an assertion"},
                  {"remove it"});
}

inline constexpr Rule parallel_rules[] = {
    {.code = "hpz-world-size",
     .title = "Ranks that the second partition does not divide",
     .what = "zero_hpz_partition_size ranks share a second copy of the weights, so it has to divide the "
             "number of ranks.",
     .source = "utils/groups.py, _create_zero_param_parallel_group",
     .run = hpz_world_size,
     .keys = "zero_hpz_partition_size",
     .since = "0.10.0",
     .bad = {R"({"train_batch_size": 24, "zero_optimization": {"stage": 3, "zero_hpz_partition_size": 8,
 "stage3_gather_16bit_weights_on_model_save": true}})",
             {.world_size = 12}},
     .good = {R"({"train_batch_size": 24, "zero_optimization": {"stage": 3, "zero_hpz_partition_size": 4,
 "stage3_gather_16bit_weights_on_model_save": true}})",
              {.world_size = 12}}},
    {.code = "quantized-gradients-reduce-scatter",
     .title = "Quantized gradients need reduce_scatter",
     .what = "zero_quantized_gradients replaces the reduce-scatter, so it asserts that there is one.",
     .source = "runtime/zero/stage3.py, __init__",
     .run = qgz_reduce_scatter,
     .keys = "zero_quantized_gradients",
     .since = "0.10.0",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "zero_quantized_gradients": true,
 "reduce_scatter": false, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "zero_quantized_gradients": true,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "quantized-gradients-nodes",
     .title = "Quantized gradients need whole nodes, and two of them",
     .what = "Gradients are quantized for the way between nodes. On one node nothing is, and a number of "
             "ranks between one node's devices and two nodes' is refused.",
     .source = "utils/groups.py, _get_local_all_to_all_group; runtime/zero/stage3.py, __avg_scatter_grads",
     .run = qgz_nodes,
     .keys = "zero_quantized_gradients",
     .since = "0.10.0",
     .bad = {R"({"train_batch_size": 24, "zero_optimization": {"stage": 3, "zero_quantized_gradients": true,
 "stage3_gather_16bit_weights_on_model_save": true}})",
             {.world_size = 12, .gpus_per_node = 8}},
     .good = {R"({"train_batch_size": 32, "zero_optimization": {"stage": 3, "zero_quantized_gradients": true,
 "stage3_gather_16bit_weights_on_model_save": true}})",
              {.world_size = 16, .gpus_per_node = 8}}},
    {.code = "mics",
     .title = "What MiCS does not go with",
     .what = "mics_shard_size must divide the number of ranks. Its hierarchical gathers are for shards over "
             "several nodes. Offloading stops it in backward where there is more than one copy of the model, "
             "and puts everything on the device where there is one.",
     .source = "runtime/zero/mics.py and mics_utils.py of 0.19.6; runtime/engine.py, _return_mics_optimizer",
     .run = mics,
     .keys = "mics_shard_size",
     .since = "0.9.2",
     .until = "0.19.7",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "mics_shard_size": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})",
             {.world_size = 8},
             "0.16.9"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "mics_shard_size": 4,
 "stage3_gather_16bit_weights_on_model_save": true}})",
              {.world_size = 8},
              "0.16.9"}},
    {.code = "all-reduce-fetch-ignored",
     .title = "Fetching by all-reduce gives way to other options",
     .what = "stage3_use_all_reduce_for_fetch_params is not looked at where weights are quantized, come from "
             "a second partition, or are gathered one after the other.",
     .source = "runtime/zero/partition_parameters.py, _all_gather_coalesced",
     .run = all_reduce_fetch,
     .keys = "stage3_use_all_reduce_for_fetch_params use_all_reduce_for_fetch_params",
     .since = "0.14.3",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "zero_quantized_weights": true,
 "stage3_use_all_reduce_for_fetch_params": true, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3,
 "stage3_use_all_reduce_for_fetch_params": true, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "sequential-prefetch",
     .title = "Sequential all-gathers do not prefetch",
     .what = "stage3_allgather_sequential sets stage3_prefetch_bucket_size to 1.",
     .source = "runtime/engine.py, _configure_zero_optimizer",
     .run = sequential_prefetch,
     .keys = "stage3_prefetch_bucket_size",
     .since = "0.18.5",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_allgather_sequential": true,
 "stage3_prefetch_bucket_size": 1000000, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_allgather_sequential": true,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "quantized-weights-autocast",
     .title = "torch_autocast and quantized weights exclude each other",
     .what =
         "deepspeed.initialize asserts that zero_quantized_weights is false where torch_autocast is enabled.",
     .source = "runtime/torch_autocast.py, _validate_auto_cast_settings",
     .run = qwz_autocast,
     .keys = "zero_quantized_weights",
     .since = "0.17.2",
     .bad = {R"({"train_batch_size": 8, "torch_autocast": {"enabled": true}, "zero_optimization": {"stage": 3,
 "zero_quantized_weights": true, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good =
         {R"({"train_batch_size": 8, "torch_autocast": {"enabled": true}, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "zenflow",
     .title = "What ZenFlow needs",
     .what = "ZenFlow needs an offloaded optimizer at stages 1 and 2, overlap_comm for its own offload, and "
             "a select_interval that fits select_strategy and update_interval. It says so when the optimizer "
             "is built.",
     .source = "runtime/zenflow/engine.py, configure_zenflow; zenflow_stage_1_and_2.py",
     .run = zenflow,
     .keys = "zenflow",
     .since = "0.17.5",
     .bad =
         {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 2, "zenflow": {}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 2, "zenflow": {}, "offload_optimizer": {"device": "cpu"}}})"}},
    {.code = "deepcompile-offload",
     .title = "Offloading passes that exclude each other",
     .what = "DeepCompile moves one thing at a time, and leaves the optimizer to ZeRO where ZeRO offloads "
             "it. engine.compile raises a ValueError.",
     .source = "compile/init_z3.py, init_z3",
     .run = deepcompile_offload,
     .keys = "deepcompile",
     .since = "0.19.5",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "compile": {"deepcompile": true, "offload_opt_states": true}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu"}, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "compile": {"deepcompile": true, "offload_opt_states": true}, "zero_optimization": {"stage": 3,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "pipeline-stage",
     .title = "A pipeline at stage 2 or 3",
     .what = "The pipeline engine asserts that the stage is below 2: it reduces gradients by itself.",
     .source = "runtime/pipe/engine.py, __init__",
     .run = pipeline_stage,
     .keys = "pipeline",
     .bad = {R"({"train_batch_size": 8, "pipeline": {"stages": 2}, "zero_optimization": {"stage": 2}})"},
     .good = {R"({"train_batch_size": 8, "pipeline": {"stages": 2}, "zero_optimization": {"stage": 1}})"}},
    {.code = "pipeline-loading-checkpoint",
     .title = "Loading checkpoints in a pipeline is for stage 3",
     .what = "load_checkpoint asserts that the stage is 3 where pipeline_loading_checkpoint is true.",
     .source = "runtime/engine.py, _load_zero_checkpoint",
     .run = pipeline_loading,
     .keys = "pipeline_loading_checkpoint",
     .since = "0.10.1",
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "pipeline_loading_checkpoint": true}})"},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "pipeline_loading_checkpoint": true,
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
};

}  // namespace dszero::rules
