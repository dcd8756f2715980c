// SPDX-License-Identifier: MIT
//
// Rules on offloading: blocks that are off, NVMe where there is none, options of
// another device, and combinations that fail once the engine is built.
#pragma once

#include <dszero/lint/linting.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero::rules {

inline void offload_without_device(Linting& lint) {
    if (!lint.at_stage(1, 3)) return;
    for (const Part* part : {&lint.offload_param, &lint.offload_optimizer}) {
        if (!*part || (*part)["device"]) continue;
        const std::string_view name = part->pointer.substr(part->pointer.rfind('/') + 1);
        lint.at_key(lint.zero[name], {name, " has no device, so it is none: nothing is offloaded"},
                    {"write \"device\": \"cpu\" or \"nvme\""});
    }
}

inline void nvme_without_path(Linting& lint) {
    if (!lint.at_stage(3, 3)) return;
    const auto& optimizer = lint.config.zero_config.offload_optimizer;
    if (optimizer && optimizer->device == OffloadDeviceEnum::nvme && !optimizer->nvme_path)
        lint.at_value(lint.offload_optimizer["device"],
                      {"offload_optimizer to nvme has no nvme_path: DeepSpeed joins None to a path and stops "
                       "with a TypeError"},
                      {"write \"nvme_path\": \"/a/folder/on/the/disk\""});
    const auto& param = lint.config.zero_config.offload_param;
    if (param && param->device == OffloadDeviceEnum::nvme && !param->nvme_path)
        lint.at_value(lint.offload_param["device"],
                      {"offload_param to nvme has no nvme_path: DeepSpeed stops while it partitions the "
                       "model (\"nvme_path\" in DeepSpeed Config cannot be None)"},
                      {"write \"nvme_path\": \"/a/folder/on/the/disk\""});
}

inline void nvme_below_stage_3(Linting& lint) {
    if (!lint.at_stage(1, 2) || lint.optimizer_device() != OffloadDeviceEnum::nvme) return;
    const std::string stage = std::to_string(lint.stage());
    std::string where = " host memory";
    if (const std::int64_t parameters = lint.around.model.parameters)
        where = ' ' +
                in_gib(12.0 * static_cast<double>(parameters) / static_cast<double>(lint.around.world_size)) +
                " of host memory a rank";
    lint.at_value(
        lint.offload_optimizer["device"],
        {"at stage ", stage, " nvme means cpu: the optimizer's states go to", where, ", and nothing to NVMe"},
        {"choose stage 3, or write \"cpu\""});
}

/// Options that only one device has, in a block for another.
inline void options_of_another_device(Linting& lint) {
    if (!lint.at_stage(1, 3)) return;
    const auto report = [&](const Part& part, std::string_view key, std::string_view device) {
        const Spot spot = part[key];
        if (!spot.is_set() || spot.json().is_null()) return;
        Diagnostic& d = lint.at_key(spot, {key, " has no effect with device ", device, ": it is for nvme"},
                                    {"remove it"});
        if (key != "nvme_path") d.severity = Severity::note;
    };
    if (lint.stage() == 3 && lint.param_device() == OffloadDeviceEnum::cpu)
        for (const std::string_view key : {"nvme_path", "buffer_count", "buffer_size", "max_in_cpu"})
            report(lint.offload_param, key, "cpu");
    if (lint.optimizer_device() == OffloadDeviceEnum::cpu)
        for (const std::string_view key :
             {"nvme_path", "buffer_count", "fast_init", "pipeline_read", "pipeline_write"})
            if (const Spot spot = lint.offload_optimizer[key];
                key.size() < 13 || (spot && is_truthy(spot.json())))  // pipeline_…: false says nothing
                report(lint.offload_optimizer, key, "cpu");
}

inline void pinned_all_the_same(Linting& lint) {
    const Spot spot = lint.offload_param["pin_memory"];
    if (!lint.at_stage(3, 3) || !lint.offloads_param() || !spot.is_set()) return;
    if (lint.config.zero_config.offload_param->pin_memory || !lint.optimizer) return;
    Diagnostic& d = lint.at_value(spot,
                                  {"pin_memory false does not reach the weights: their flat buffers in host "
                                   "memory are page-locked all the same"},
                                  {"count on page-locked memory of 2 bytes a parameter"});
    d.severity = Severity::note;
}

inline void client_optimizer(Linting& lint) {
    if (!lint.at_stage(1, 3) || !lint.offloads_optimizer() || lint.optimizer["type"]) return;
    if (lint.around.caller != Caller::deepspeed)
        return;  // they bring a fitting optimizer, or set the key below
    const Spot force = lint.top["zero_force_ds_cpu_optimizer"];
    if (force && !is_truthy(force.json())) return;
    lint.at_key(lint.offloaded_optimizer(),
                {"there is no optimizer section: any optimizer that the program passes, other than "
                 "DeepSpeedCPUAdam or DeepSpeedCPULion, is refused by deepspeed.initialize"},
                {"add an optimizer, or \"zero_force_ds_cpu_optimizer\": false"})
        .severity = Severity::note;
}

inline void partial_offload_optimizer(Linting& lint) {
    const auto& offload = lint.config.zero_config.offload_optimizer;
    if (!lint.at_stage(3, 3) || !lint.offloads_optimizer() || offload->ratio == 1.0) return;
    const Spot ratio = lint.offload_optimizer["ratio"];
    const std::string_view type = lint.optimizer_type();
    if (!type.empty() && (!lint.has_adam() || lint.flag(lint.optimizer_params["torch_adam"]))) {
        lint.at_value(ratio,
                      {"a ratio below 1 works with DeepSpeed's own Adam or AdamW only: deepspeed.initialize "
                       "stops with an assertion"},
                      {"remove ratio, or choose Adam or AdamW without torch_adam"});
        return;
    }
    const Spot mode = lint.optimizer_params["adam_w_mode"];
    if (type == "adam" && mode && !is_truthy(mode.json()))
        lint.at_value(
            ratio, {"the share that stays on the device is stepped by AdamW, although adam_w_mode is false"},
            {"choose AdamW, or remove ratio"});
}

/// Whether a rank's states are one sub-group, of which no share can be taken. False where the model is
/// unknown.
inline bool has_single_sub_group(const Linting& lint) {
    const std::int64_t parameters = lint.around.model.parameters, world = lint.around.world_size;
    return parameters > 0 && lint.config.zero_config.sub_group_size >= (parameters + world - 1) / world;
}

inline void partial_offload_on_device(Linting& lint) {
    const auto& offload = lint.config.zero_config.offload_optimizer;
    if (!lint.at_stage(3, 3) || lint.optimizer_device() != OffloadDeviceEnum::cpu || offload->ratio == 1.0)
        return;
    if (offload->ratio != 0.0 && has_single_sub_group(lint)) return;  // all of it is offloaded
    const Spot ratio = lint.offload_optimizer["ratio"];
    if (!lint.has_adam()) return;
    const bool scheduled = lint.scheduler["type"].is_set();
    Diagnostic& d = lint.at_value(
        ratio,
        {"the share that stays on the device has an AdamW of its own: its moments are in no checkpoint",
         scheduled ? ", and the first parameter group's learning rate stays what it was at the start" : ""},
        {"remove ratio, or do not count on resuming"});
    if (!scheduled) d.severity = Severity::note;
}

inline void partial_offload_of_nvme(Linting& lint) {
    const auto& offload = lint.config.zero_config.offload_optimizer;
    if (!lint.at_stage(3, 3) || lint.optimizer_device() != OffloadDeviceEnum::nvme || offload->ratio == 1.0)
        return;
    lint.at_value(lint.offload_optimizer["ratio"],
                  {"with device nvme a ratio below 1 puts nothing on the device: that share is stepped by "
                   "AdamW on the host, and its moments are never swapped out"},
                  {"remove ratio, or write \"device\": \"cpu\""});
}

inline void mixed_devices(Linting& lint) {
    if (!lint.at_stage(3, 3) || lint.param_device() != OffloadDeviceEnum::nvme) return;
    if (lint.optimizer_device() == OffloadDeviceEnum::nvme) return;
    lint.at_value(lint.offload_param["device"],
                  {"parameters on nvme with the optimizer elsewhere fail in this release ('NoneType' object "
                   "has no attribute 'swap_folder')"},
                  {"put the optimizer on nvme too, or use DeepSpeed 0.16.4"});
}

inline void nvme_checkpoint(Linting& lint) {
    if (!lint.at_stage(3, 3) || lint.optimizer_device() != OffloadDeviceEnum::nvme) return;
    lint.at_value(
        lint.offload_optimizer["device"],
        {"a checkpoint of this release leaves out what is on nvme: training cannot be resumed from it"},
        {"use DeepSpeed 0.13.0 or later"});
}

inline void super_offload_device(Linting& lint) {
    const Spot spot = lint.offload_optimizer["super_offload"];
    if (!lint.at_stage(3, 3) || !lint.flag(spot) || lint.around.accelerator == Accelerator::cuda) return;
    lint.at_value(spot, {"super_offload needs cuda: it stops with an assertion on any other accelerator"},
                  {"remove it"});
}

inline constexpr Rule offload_rules[] = {
    {.code = "offload-without-device",
     .title = "An offload block without a device is off",
     .what = "The device is none unless it is written, so the block does nothing. DeepSpeed's documentation "
             "promises otherwise.",
     .source = "runtime/zero/offload_config.py, device",
     .run = offload_without_device,
     .keys = "offload_param offload_optimizer",
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_optimizer": {"pin_memory": true}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu", "pin_memory": true}}})"}},
    {.code = "nvme-without-path",
     .title = "NVMe without a folder",
     .what = "nvme_path has no default, whatever the documentation says. The configuration is accepted, and "
             "DeepSpeed stops once it opens the folder.",
     .source = "runtime/zero/stage3.py, _configure_tensor_swapping; runtime/zero/partition_parameters.py, "
               "_validate_remote_device",
     .run = nvme_without_path,
     .keys = "offload_param offload_optimizer",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "nvme-below-stage-3",
     .title = "NVMe at stages 1 and 2 is host memory",
     .what = "Stages 1 and 2 ask only whether the device is none. With nvme the optimizer's states, 12 bytes "
             "a parameter over all ranks, go to host memory.",
     .source = "runtime/zero/stage_1_and_2.py, __init__",
     .run = nvme_below_stage_3,
     .keys = "offload_optimizer",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"}},
    {.code = "option-of-another-device",
     .title = "An option for NVMe with device cpu",
     .what = "Buffers, paths and pipelines are for NVMe. With device cpu nobody looks at them.",
     .source = "runtime/zero/stage3.py, _configure_offloading",
     .run = options_of_another_device,
     .keys = "offload_param offload_optimizer",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 2,
 "offload_optimizer": {"device": "cpu", "nvme_path": "/nvme"}}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 2,
 "offload_optimizer": {"device": "cpu", "pin_memory": true}}})"}},
    {.code = "pinned-all-the-same",
     .title = "Offloaded parameters are page-locked whatever pin_memory says",
     .what = "The flat buffers that hold offloaded parameters are always page-locked. pin_memory decides on "
             "the rest.",
     .source = "runtime/zero/stage3.py, _create_param_groups_fp16_flat_cpu_memory",
     .run = pinned_all_the_same,
     .keys = "pin_memory",
     .severity = Severity::note,
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_param": {"device": "cpu", "pin_memory": false}, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_param": {"device": "cpu"}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "client-optimizer",
     .title = "Offloading accepts only DeepSpeed's own optimizers for the host",
     .what =
         "With offload_optimizer, deepspeed.initialize raises ZeRORuntimeException for an optimizer object "
         "that is not DeepSpeedCPUAdam or DeepSpeedCPULion, unless zero_force_ds_cpu_optimizer is false.",
     .source = "runtime/engine.py, _configure_optimizer",
     .run = client_optimizer,
     .keys = "offload_optimizer cpu_offload",
     .severity = Severity::note,
     .since = "0.8.3",
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"},
     .good = {R"({"train_batch_size": 8, "zero_force_ds_cpu_optimizer": false,
 "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"}},
    {.code = "partial-offload-optimizer",
     .title = "Partial offloading is for Adam alone",
     .what = "With offload_optimizer.ratio below 1 a second optimizer, torch's AdamW, steps what stays on "
             "the device. Optimizers other than DeepSpeed's CPU Adam are refused, and Adam without "
             "adam_w_mode differs from it.",
     .source = "runtime/zero/stage3.py, backup_optimizer",
     .run = partial_offload_optimizer,
     .keys = "ratio",
     .since = "0.12.3",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "Lion"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu", "ratio": 0.5}, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu", "ratio": 1.0}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "partial-offload-on-device",
     .title = "What partial offloading leaves on the device is in no checkpoint",
     .what =
         "With offload_optimizer.ratio below 1, torch's AdamW steps what stays on the device. It is made "
         "once, with the first parameter group's learning rate of that moment, which no schedule changes, "
         "and no checkpoint saves or loads its moments.",
     .source = "runtime/zero/stage3.py, backup_optimizer",
     .run = partial_offload_on_device,
     .keys = "ratio",
     .since = "0.12.3",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "scheduler": {"type": "WarmupLR"},
 "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu", "ratio": 0.5}, "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu"}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "partial-offload-of-nvme",
     .title = "Partial offloading does not go with NVMe",
     .what = "With device nvme the share that ratio keeps back is held on the host, stepped there by AdamW, "
             "and its moments never reach NVMe.",
     .source = "runtime/zero/stage3.py, _optimizer_step",
     .run = partial_offload_of_nvme,
     .keys = "ratio",
     .since = "0.12.3",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme", "ratio": 0.5},
 "stage3_gather_16bit_weights_on_model_save": true}})"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "mixed-offload-devices",
     .title = "Parameters on NVMe need the optimizer there",
     .what = "Before 0.16.4, parameters on NVMe with an optimizer that is not fail when the first parameter "
             "is swapped.",
     .source = "runtime/zero/stage3.py of 0.16.3; DeepSpeed issue 4998",
     .run = mixed_devices,
     .keys = "offload_param",
     .until = "0.16.4",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_param": {"device": "nvme", "nvme_path": "/nvme"}, "offload_optimizer": {"device": "cpu"},
 "stage3_gather_16bit_weights_on_model_save": true}})",
             {},
             "0.16.3"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_param": {"device": "nvme", "nvme_path": "/nvme"}, "offload_optimizer": {"device": "cpu"},
 "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "nvme-not-in-checkpoint",
     .title = "Checkpoints without what is on NVMe",
     .what = "Before 0.13.0 optimizer states on NVMe are not saved.",
     .source = "runtime/zero/stage3.py of 0.12.6; DeepSpeed issue 2898",
     .run = nvme_checkpoint,
     .keys = "offload_optimizer",
     .until = "0.13.0",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})",
             {},
             "0.12.6"},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
    {.code = "super-offload-device",
     .title = "super_offload needs cuda",
     .what = "SuperOffload asserts that the accelerator is cuda when the optimizer is built.",
     .source = "runtime/superoffload/superoffload_stage3.py",
     .run = super_offload_device,
     .keys = "super_offload",
     .since = "0.18.0",
     .bad = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu", "super_offload": true}, "stage3_gather_16bit_weights_on_model_save": true}})",
             {.accelerator = Accelerator::cpu}},
     .good = {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
 "offload_optimizer": {"device": "cpu", "super_offload": true}, "stage3_gather_16bit_weights_on_model_save": true}})"}},
};

}  // namespace dszero::rules
