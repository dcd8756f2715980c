// SPDX-License-Identifier: MIT
//
// Rules on magnitudes: zero where it divides, bytes where elements are counted and the
// other way round, and buffers too small or too many for the model.
#pragma once

#include <dszero/lint/linting.hpp>
#include <dszero/lint/offload.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dszero::rules {

inline void zero_divides(Linting& lint) {
    const Spot print = lint.top["steps_per_print"];
    if (print && lint.number(print) == 0.0)
        lint.at_value(print,
                      {"steps_per_print 0 divides by zero: the first step stops with a ZeroDivisionError"},
                      {"write null to print nothing"});
    if (!lint.at_stage(1, 3)) return;
    if (lint.config.zero_config.reduce_bucket_size == 0)
        lint.at_value(lint.zero["reduce_bucket_size"],
                      {"reduce_bucket_size 0 stops the first backward pass with a ZeroDivisionError"},
                      {"remove it"});
    if (lint.stage() != 3) return;
    const auto& param = lint.config.zero_config.offload_param;
    if (param && param->device == OffloadDeviceEnum::nvme && param->buffer_count == 0)
        lint.at_value(lint.offload_param["buffer_count"],
                      {"without a buffer no parameter can be read from NVMe: DeepSpeed stops with an "
                       "assertion (Not enough buffers 0)"},
                      {"remove it"});
    const auto& optimizer = lint.config.zero_config.offload_optimizer;
    if (optimizer && optimizer->device == OffloadDeviceEnum::nvme && optimizer->buffer_count == 0)
        lint.at_value(lint.offload_optimizer["buffer_count"],
                      {"without a buffer no state can be read from NVMe: deepspeed.initialize stops with an "
                       "IndexError"},
                      {"remove it"});
}

inline void swap_buffers(Linting& lint) {
    const auto& offload = lint.config.zero_config.offload_optimizer;
    if (!lint.at_stage(3, 3) || lint.optimizer_device() != OffloadDeviceEnum::nvme ||
        offload->buffer_count == 0)
        return;
    const std::string_view type = lint.optimizer_type();
    const bool adam = lint.has_adam();
    if (!adam && type != "lion" && type != "adagrad") return;
    const std::int64_t needed = adam ? 4 : 3;  // master weights, moments, gradient
    if (offload->buffer_count >= needed) return;
    lint.at_value(
        lint.offload_optimizer["buffer_count"],
        {std::to_string(offload->buffer_count), " buffers are too few: ", adam ? "Adam" : type, " reads ",
         std::to_string(needed), " tensors at a time (master weights, ", adam ? "two moments" : "one state",
         ", gradient), and the first step stops with an assertion"},
        {"write at least ", std::to_string(needed)});
}

inline void bytes_for_elements(Linting& lint) {
    if (!lint.at_stage(1, 3)) return;
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    const double element = lint.model_type() == DataType::fp32 ? 4 : 2;
    constexpr double suspicious = 8.0 * 1024 * 1024 * 1024;  // bytes
    const auto report = [&](const Spot& spot, std::int64_t elements, double copies, std::string_view what) {
        const double bytes = static_cast<double>(elements) * element * copies;
        if (!spot.is_set() || bytes < suspicious) return;
        lint.at_value(spot,
                      {spot.member->key, " counts elements, not bytes: ", what, in_gib(bytes), " a rank"},
                      {"a value in bytes is ", element == 2 ? "twice" : "four times", " too large here"});
    };
    const bool doubled = zero.overlap_comm.value_or(false) && lint.stage() < 3;
    if (zero.contiguous_gradients || lint.offloads_optimizer())
        report(lint.zero["reduce_bucket_size"], zero.reduce_bucket_size, doubled ? 2 : 1,
               doubled ? "its two buffers (overlap_comm) take " : "its buffer takes ");
    if (lint.stage() == 3)
        report(lint.zero["stage3_prefetch_bucket_size"], zero.prefetch_bucket_size, 1,
               "what is fetched ahead takes up to ");
}

inline void elements_for_bytes(Linting& lint) {
    if (const Spot spot = lint.aio["block_size"]) {
        const auto bytes = lint.number(spot);
        if (bytes && *bytes > 0 && *bytes < 4096)
            lint.at_value(spot,
                          {"block_size counts bytes: ", lint.shown(spot),
                           " is less than a page, and unbuffered reads and writes need whole ones"},
                          {"1048576 is the default"});
    }
    if (!lint.at_stage(1, 3)) return;
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    constexpr std::int64_t tiny = 1000;
    if (const Spot spot = lint.zero["reduce_bucket_size"];
        spot.is_set() && zero.reduce_bucket_size > 0 && zero.reduce_bucket_size < tiny)
        lint.at_value(spot,
                      {"reduce_bucket_size counts elements: with ", lint.shown(spot),
                       " nearly every gradient is reduced alone"},
                      {"500000000 is the default"});
    if (const Spot spot = lint.zero["sub_group_size"];
        lint.stage() == 3 && spot.is_set() && zero.sub_group_size < tiny)
        lint.at_value(spot,
                      {"sub_group_size counts elements: with ", lint.shown(spot),
                       " nearly every parameter is a sub-group, and stepped alone"},
                      {"1000000000 is the default"})
            .severity = Severity::note;
}

inline void pinned_buffers(Linting& lint) {
    const auto& offload = lint.config.zero_config.offload_param;
    if (!lint.at_stage(3, 3) || lint.param_device() != OffloadDeviceEnum::nvme) return;
    const double element = lint.model_type() == DataType::fp32 ? 4 : 2;
    const double bytes =
        static_cast<double>(offload->buffer_count) * static_cast<double>(offload->buffer_size) * element;
    constexpr double suspicious = 16.0 * 1024 * 1024 * 1024;
    if (bytes < suspicious) return;
    const Spot size = lint.offload_param["buffer_size"], count = lint.offload_param["buffer_count"];
    const std::int64_t node = lint.around.gpus_per_node;
    lint.at_value(size.is_set() ? size : count,
                  {"buffer_count * buffer_size elements are ", in_gib(bytes), " of page-locked memory a rank",
                   node ? ", " + in_gib(bytes * static_cast<double>(node)) + " a node" : ""},
                  {"buffer_size need not be larger than the largest parameter's slice"});
}

inline void param_buffer(Linting& lint) {
    const std::int64_t largest = lint.around.model.largest_parameter, world = lint.around.world_size;
    const auto& offload = lint.config.zero_config.offload_param;
    if (!largest || !lint.at_stage(3, 3) || lint.param_device() != OffloadDeviceEnum::nvme) return;
    const std::int64_t slice = (largest + world - 1) / world;
    if (offload->buffer_size >= slice) return;
    lint.at_value(lint.offload_param["buffer_size"],
                  {"the largest parameter's slice, ", std::to_string(slice),
                   " elements, does not fit into a buffer of ", std::to_string(offload->buffer_size),
                   ": it stops with an assertion (More elements … than buffer size)"},
                  {"write at least ", std::to_string(slice)});
}

inline void bucket_beyond_model(Linting& lint) {
    const std::int64_t parameters = lint.around.model.parameters;
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!parameters || !lint.at_stage(1, 3) || zero.reduce_bucket_size <= parameters) return;
    if (!zero.contiguous_gradients && !lint.offloads_optimizer()) return;
    const double element = lint.model_type() == DataType::fp32 ? 4 : 2;
    lint.at_value(lint.zero["reduce_bucket_size"],
                  {"the bucket of ", std::to_string(zero.reduce_bucket_size),
                   " elements is larger than the model's ", std::to_string(parameters), ": ",
                   in_gib(static_cast<double>(zero.reduce_bucket_size - parameters) * element),
                   " of its buffer are never used"},
                  {"write ", std::to_string(parameters), " or less"})
        .severity = Severity::note;
}

inline void everything_persists(Linting& lint) {
    const std::int64_t largest = lint.around.model.largest_parameter;
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    if (!largest || !lint.at_stage(3, 3) || zero.param_persistence_threshold <= largest) return;
    if (lint.around.model.parameters > zero.model_persistence_threshold) return;
    lint.at_value(
        lint.zero["stage3_param_persistence_threshold"],
        {"every parameter has fewer elements than ", std::to_string(zero.param_persistence_threshold),
         ", so all of them stay whole on each rank: nothing is gained from stage 3"},
        {"100000 is the default"});
}

inline void single_sub_group(Linting& lint) {
    const std::int64_t parameters = lint.around.model.parameters, world = lint.around.world_size;
    if (!lint.at_stage(3, 3) || !lint.offloads_optimizer() || !has_single_sub_group(lint)) return;
    const double ratio = lint.config.zero_config.offload_optimizer->ratio;
    if (ratio == 1.0 || ratio == 0.0) return;
    lint.at_value(lint.offload_optimizer["ratio"],
                  {"ratio chooses whole sub-groups, and there is only one: all of the optimizer's states are "
                   "offloaded"},
                  {"make sub_group_size a fraction of ", std::to_string((parameters + world - 1) / world)});
}

inline void prefetch_beyond_live(Linting& lint) {
    const DeepSpeedZeroConfig& zero = lint.config.zero_config;
    const Spot live = lint.zero["stage3_max_live_parameters"];
    if (!lint.at_stage(3, 3) || !live.is_set() || zero.allgather_sequential ||
        zero.prefetch_bucket_size <= zero.max_live_parameters)
        return;
    lint.at_value(live,
                  {"stage3_max_live_parameters is below stage3_prefetch_bucket_size, ",
                   std::to_string(zero.prefetch_bucket_size),
                   ": it limits what is fetched ahead, and nothing else"},
                  {"lower stage3_prefetch_bucket_size to say the same"})
        .severity = Severity::note;
}

inline constexpr Rule size_rules[] = {
    {.code = "zero-divides",
     .title = "A zero that stops training",
     .what = "Some numbers may not be 0, and DeepSpeed finds out when it divides by them or takes the first "
             "of none.",
     .source = "runtime/engine.py, step; runtime/swap_tensor/utils.py, SwapBufferManager",
     .run = zero_divides,
     .keys = "steps_per_print reduce_bucket_size buffer_count",
     .bad = {R"({"train_batch_size": 8, "steps_per_print": 0})"},
     .good = {R"({"train_batch_size": 8, "steps_per_print": null})"}},
    {.code = "swap-buffers",
     .title = "Too few buffers to read an optimizer's states from NVMe",
     .what = "A sub-group's master weights, states and gradient are in memory together: 4 buffers for Adam, "
             "3 for Lion and Adagrad.",
     .source = "runtime/swap_tensor/partitioned_optimizer_swapper.py, swap_in_optimizer_state",
     .run = swap_buffers,
     .keys = "offload_optimizer",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme", "buffer_count": 2},
 "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme", "buffer_count": 4},
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "bytes-for-elements",
     .title = "A size in elements that looks like one in bytes",
     .what = "Buckets are counted in elements, of 2 bytes in fp16 and bf16 and 4 in fp32. The buffers are "
             "allocated in full, twice with overlap_comm at stages 1 and 2.",
     .source = "runtime/zero/stage_1_and_2.py and stage3.py, ipg_buckets",
     .run = bytes_for_elements,
     .keys = "reduce_bucket_size stage3_prefetch_bucket_size",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true},
 "zero_optimization": {"stage": 2, "reduce_bucket_size": 5368709120}})"},
     .good = {R"({"train_batch_size": 8, "bf16": {"enabled": true},
 "zero_optimization": {"stage": 2, "reduce_bucket_size": 500000000}})"}},
    {.code = "elements-for-bytes",
     .title = "A size that is too small to be meant",
     .what = "aio.block_size counts bytes, and buckets and sub-groups count elements. A few hundred of "
             "either make every transfer a single small one.",
     .source = "runtime/swap_tensor/aio_config.py; runtime/zero/stage3.py, _create_fp16_sub_groups",
     .run = elements_for_bytes,
     .keys = "block_size reduce_bucket_size sub_group_size",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "reduce_bucket_size": 500}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "reduce_bucket_size": 500000}})"}},
    {.code = "pinned-buffers",
     .title = "Buffers that take much page-locked memory",
     .what = "offload_param allocates buffer_count buffers of buffer_size elements in page-locked host "
             "memory, on every rank.",
     .source = "runtime/swap_tensor/partitioned_param_swapper.py, _configure_aio",
     .run = pinned_buffers,
     .keys = "offload_param",
     .bad = {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 3, "offload_param": {"device": "nvme", "nvme_path": "/nvme", "buffer_size": 10000000000},
 "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "bf16": {"enabled": true}, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 3, "offload_param": {"device": "nvme", "nvme_path": "/nvme", "buffer_size": 1000000000},
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "param-buffer-too-small",
     .title = "A buffer too small for the largest parameter",
     .what = "A parameter's slice goes through one buffer. One that does not fit stops training with an "
             "assertion.",
     .source = "runtime/swap_tensor/partitioned_param_swapper.py, reserve_available_buffers",
     .run = param_buffer,
     .keys = "offload_param",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_param": {"device": "nvme", "nvme_path": "/nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})",
             {.model = {.largest_parameter = 524709888}}},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_param": {"device": "nvme", "nvme_path": "/nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})",
              {.world_size = 8, .model = {.largest_parameter = 524709888}}}},
    {.code = "bucket-beyond-model",
     .title = "A bucket larger than the model",
     .what = "The bucket's buffer is allocated in full. What is larger than all gradients together is never "
             "used.",
     .source = "runtime/zero/stage3.py, _setup_for_real_optimizer",
     .run = bucket_beyond_model,
     .severity = Severity::note,
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2}})",
             {.model = {.parameters = 125000000}}},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "reduce_bucket_size": 50000000}})",
              {.model = {.parameters = 125000000}}}},
    {.code = "everything-persists",
     .title = "A threshold above every parameter",
     .what = "Parameters with fewer elements than stage3_param_persistence_threshold are kept whole on every "
             "rank.",
     .source = "runtime/zero/parameter_offload.py, mark_persistent_parameters",
     .run = everything_persists,
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_param_persistence_threshold": 1000000000,
 "stage3_gather_16bit_weights_on_model_save": true}})",
          {.model = {.largest_parameter = 131072000}}},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_param_persistence_threshold": 100000,
 "stage3_gather_16bit_weights_on_model_save": true}})",
          {.model = {.largest_parameter = 131072000}}}},
    {.code = "single-sub-group",
     .title = "A share of one sub-group is all of it",
     .what = "offload_optimizer.ratio decides for whole sub-groups of sub_group_size elements. Where there "
             "is one only, any ratio above 0 offloads everything.",
     .source = "runtime/zero/stage3.py, _create_fp32_partitions",
     .run = single_sub_group,
     .keys = "ratio",
     .since = "0.12.3",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu", "ratio": 0.5}, "reduce_bucket_size": 50000000,
 "stage3_gather_16bit_weights_on_model_save": true}})",
             {.model = {.parameters = 125000000}}},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 // dszero: ignore partial-offload-on-device, strict-json: it is never resumed
 "offload_optimizer": {"device": "cpu", "ratio": 0.5}, "reduce_bucket_size": 50000000, "sub_group_size": 10000000,
 "stage3_gather_16bit_weights_on_model_save": true}})",
              {.model = {.parameters = 125000000}}}},
    {.code = "prefetch-beyond-live",
     .title = "A limit on live parameters that only limits prefetching",
     .what = "stage3_max_live_parameters bounds what is fetched ahead. What the running module needs is "
             "gathered all the same.",
     .source = "runtime/zero/partitioned_param_coordinator.py, fetch_sub_module",
     .run = prefetch_beyond_live,
     .keys = "stage3_max_live_parameters",
     .severity = Severity::note,
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_max_live_parameters": 1000000,
 "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_max_live_parameters": 1000000,
 "stage3_prefetch_bucket_size": 1000000, "stage3_gather_16bit_weights_on_model_save": true}})"}},
};

}  // namespace dszero::rules
