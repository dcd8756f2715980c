// SPDX-License-Identifier: MIT
//
// What spans several fields of zero_optimization: DeepSpeed's validators, and
// where deprecated keys go. rows/zero.hpp lists them with the releases that have them.
#pragma once

#include <dszero/config/rows/zero.hpp>
#include <dszero/config/section.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

// ---------------------------------------------------------------- validators

/// Before 0.15.0 overlap_comm is worked out while it is validated: with no valid stage that fails too.
inline void overlap_comm_needs_stage(Checking& c) {
    const Given& overlap = c.field("overlap_comm");
    const Given& stage = c.field("stage");
    if (stage.passed || (overlap.present && !overlap.value.json->is_null())) return;
    c.fail_at("overlap_comm", "follows-stage",
              c.reading.value_span(overlap.present ? overlap.value : stage.value),
              "overlap_comm follows the stage, which is not valid", "mend the stage");
}

inline void overlap_comm_valid(Checking& c) {
    auto& config = c.object<DeepSpeedZeroConfig>();
    if (!config.overlap_comm) config.overlap_comm = config.stage == ZeroStageEnum::weights;
}

inline std::string stage_in_words(const DeepSpeedZeroConfig& config) {
    return "the stage is " + std::to_string(static_cast<int>(config.stage));
}

inline void compute_grad_norm_valid(Checking& c) {
    const auto& config = c.object<DeepSpeedZeroConfig>();
    const bool stage_1_or_2 =
        config.stage == ZeroStageEnum::optimizer_states || config.stage == ZeroStageEnum::gradients;
    if (config.compute_grad_norm || stage_1_or_2 || !c.field("stage").passed) return;
    c.fail("needs-other-stage", c.reading.value_span(c.field("compute_grad_norm").value),
           "compute_grad_norm may be false at stages 1 and 2 only; " + stage_in_words(config));
}

inline void offload_ratio_check(Checking& c) {
    const auto& config = c.object<DeepSpeedZeroConfig>();
    if (!config.offload_optimizer || config.offload_optimizer->ratio >= 1.0) return;
    if (config.stage == ZeroStageEnum::weights || !c.field("stage").passed) return;
    Value where = c.field("offload_optimizer").value;
    const Members members = c.reading.members_of(where);
    if (const Member* ratio = find_member(members, "ratio")) where = ratio->value;
    c.fail("needs-other-stage", c.reading.value_span(where),
           "offload_optimizer.ratio may be below 1 at stage 3 only; " + stage_in_words(config));
}

inline void elastic_checkpoint_deprecated(Checking& c) {
    const auto& config = c.object<DeepSpeedZeroConfig>();
    if (config.stage != ZeroStageEnum::weights || !config.elastic_checkpoint) return;
    c.log("elastic_checkpoint_with_stage_3");
    c.reading.report(Severity::warning, "no-effect", c.pointer_to("elastic_checkpoint"),
                     c.reading.value_span(c.field("elastic_checkpoint").value),
                     "elastic_checkpoint does nothing at stage 3 any more", "use universal checkpoints");
}

// ----------------------------------------------------------- deprecated keys

/// Reports a deprecated key that was given; `rewrite` is what to write instead of the whole member.
/// True if its value is to be moved.
inline bool report_deprecated(Checking& c, std::string_view old_name, std::string_view new_name,
                              const std::string& rewrite) {
    const Given& old_field = c.field(old_name);
    if (!old_field.present || !old_field.passed) return false;
    const std::string name(old_name);
    c.log("deprecated_field:" + name);
    const Given& new_field = c.field(new_name);
    if (new_field.present) {
        c.fail("deprecated-key", c.reading.key_span(old_field.value),
               name + " is deprecated and cannot be given together with " + std::string(new_field.key),
               "remove " + name);
        return false;
    }
    c.reading
        .report(Severity::warning, "deprecated-key", c.pointer_to(old_name),
                c.reading.key_span(old_field.value), name + " is deprecated", "write " + rewrite)
        .replacement = Replacement{c.reading.member_span(old_field.value), rewrite};
    return !c.refused();
}

/// cpu_offload and cpu_offload_param: true becomes a section, anything else null.
template <class Offload>
void move_to_offload(Checking& c, std::string_view old_name, Deprecated<std::optional<bool>>& from,
                     std::string_view new_name, std::optional<Offload>& to) {
    if (!c.field(old_name).present) return;
    const Behaviour& behaviour = c.reading.behaviour;
    const bool on = from.value.value_or(false);
    const OffloadDeviceEnum device =
        behaviour.deprecated_offload_is_cpu ? OffloadDeviceEnum::cpu : OffloadDeviceEnum::none;
    const std::string section = on ? "{\"device\": \"" + std::string(to_string(device)) + "\"}" : "null";
    if (!report_deprecated(c, old_name, new_name, '"' + std::string(new_name) + "\": " + section)) return;
    if (on) {
        to.emplace();
        apply_defaults_of(behaviour.release, dszero::section<Offload>, &*to);
        to->device = device;
    }
    if (behaviour.deletes_moved_keys) from = {{}, true};
}

inline void cpu_offload_param_moves(Checking& c) {
    auto& config = c.object<DeepSpeedZeroConfig>();
    move_to_offload(c, "cpu_offload_param", config.cpu_offload_param, "offload_param", config.offload_param);
}

inline void cpu_offload_moves(Checking& c) {
    auto& config = c.object<DeepSpeedZeroConfig>();
    move_to_offload(c, "cpu_offload", config.cpu_offload, "offload_optimizer", config.offload_optimizer);
}

inline void cpu_offload_use_pin_memory_ignored(Checking& c) {
    const Given& given = c.field("cpu_offload_use_pin_memory");
    if (!given.present || !given.passed) return;
    c.log("deprecated_field:cpu_offload_use_pin_memory");
    c.reading.report(Severity::warning, "deprecated-key", c.pointer_to("cpu_offload_use_pin_memory"),
                     c.reading.key_span(given.value),
                     "cpu_offload_use_pin_memory is deprecated and does nothing",
                     "remove it, and write pin_memory in offload_param or offload_optimizer");
}

inline void gather_fp16_weights_moves(Checking& c) {
    auto& config = c.object<DeepSpeedZeroConfig>();
    auto& from = config.stage3_gather_fp16_weights_on_model_save;
    if (!c.field("stage3_gather_fp16_weights_on_model_save").present) return;
    const std::string rewrite =
        std::string("\"stage3_gather_16bit_weights_on_model_save\": ") + (from.value ? "true" : "false");
    if (!report_deprecated(c, "stage3_gather_fp16_weights_on_model_save",
                           "gather_16bit_weights_on_model_save", rewrite))
        return;
    config.gather_16bit_weights_on_model_save = from.value;
    if (c.reading.behaviour.deletes_moved_keys) from = {false, true};
}

}  // namespace dszero
