// SPDX-License-Identifier: MIT
//
// What spans several sections of a document, in DeepSpeed's order.
// Source: _initialize_params, _do_error_check and _do_warning_check in
// deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch_checks.hpp>
#include <dszero/config/document_warnings.hpp>
#include <dszero/config/removed_keys.hpp>
#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero_forms.hpp>
#include <dszero/text/rough_hash.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// One of DeepSpeed's checks, or something that it works out.
struct DocumentCheck {
    std::string_view name;      ///< a stable tag: batch_product_mismatch
    std::string_view sentence;  ///< what it asks for or does, for people
    std::string_view after;     ///< the row that it comes after; empty: it comes first; "end": after all rows
    void (*run)(Checking&) = nullptr;
    RoughKeys keys{};  ///< it passes where none of these is written; empty: it may fail all the same
    Release since = oldest_release;
    Release until = still_there;
};

// ---- as the document is read

/// The zero section of a document that has none.
inline void absent_zero_section_is_completed(Checking& c) {
    if (c.field("zero_config").present) return;
    read_members(section<DeepSpeedZeroConfig>, &c.object<DeepSpeedConfig>().zero_config, {}, {}, c.reading,
                 Path{.key = zero_optimization});
}

inline void fp16_and_bf16_exclude_each_other(Checking& c) {
    const auto& config = c.object<DeepSpeedConfig>();
    if (!config.float16_config.enabled || !config.bfloat16_config.enabled) return;
    if (!c.field("float16_config").passed || !c.field("bfloat16_config").passed ||
        !c.field("bfloat16").passed)
        return;
    const std::string_view row = c.field("bfloat16_config").taken() ? "bfloat16_config" : "bfloat16";
    c.reading.error("fp16-and-bf16", Path{.key = c.field(row).key}, c.reading.key_span(c.field(row).value),
                    "fp16 and bf16 cannot both be enabled", "disable one of them");
}

/// Python's `a | b` of two flags, which wants whole numbers.
inline void wall_clock_breakdown_joins_flops_profiler(Checking& c) {
    if (!c.field("wall_clock_breakdown").present && !c.field("flops_profiler_config").present) return;
    auto& config = c.object<DeepSpeedConfig>();
    const Json wall = config.wall_clock_breakdown.json();
    const Json flops = config.flops_profiler_config.enabled.json();
    const auto is_whole = [](const Json& json) { return json.is_boolean() || json.is_number_integer(); };
    const auto whole = [](const Json& json) {
        return json.is_boolean() ? std::int64_t{boolean_in(json)} : python_number(json, {}).integer;
    };
    if (is_whole(wall) && is_whole(flops)) {
        const std::int64_t joined = whole(wall) | whole(flops);
        config.wall_clock_breakdown.take(wall.is_boolean() && flops.is_boolean() ? json_boolean(joined != 0)
                                                                                 : json_integer(joined));
        return;
    }
    const bool wall_is_wrong = !is_whole(wall);
    c.reading.check = "shape:wall_clock_breakdown";
    const Given& given = c.field(wall_is_wrong ? "wall_clock_breakdown" : "flops_profiler_config");
    if (!given.taken()) return;
    const Path above{.key = given.key};
    Value value = given.value;
    if (!wall_is_wrong) value = find_member(c.reading.members_of(value), "enabled")->value;
    c.reading.error("wrong-type", wall_is_wrong ? above : Path{.parent = &above, .key = "enabled"},
                    c.reading.value_span(value),
                    (wall_is_wrong ? "wall_clock_breakdown" : "flops_profiler.enabled") +
                        std::string(" must be true or false, got ") + c.reading.shown(value));
}

/// Before 0.17.1 the scale is worked out on the spot: 2 to that power.
inline void initial_scale_is_a_power(Checking& c) {
    const Given& fp16 = c.field("float16_config");
    if (!fp16.taken() || !c.object<DeepSpeedConfig>().float16_config.enabled) return;
    const Members members = c.reading.members_of(fp16.value);
    const Member* power = find_member(members, "initial_scale_power");
    if (!power) return;
    const Json& json = *power->value.json;
    if (json.is_boolean() || json.is_number_integer() ||
        (json.is_number() && python_number(json, {}).real < 1024))
        return;
    const Path above{.key = "fp16"};
    c.reading.check = "shape:initial_dynamic_scale";
    c.reading.error("wrong-type", Path{.parent = &above, .key = "initial_scale_power"},
                    c.reading.value_span(power->value),
                    "initial_scale_power must be a number, got " + c.reading.shown(power->value));
}

inline void parallel_write_is_a_flag(Checking& c) {
    const Given& given = c.field("checkpoint_config");
    if (given.present && given.value.json->is_object()) pipeline_stage_is_a_flag(given.value, c.reading);
}

inline void checkpoint_writer_is_known(Checking& c) {
    const Given& given = c.field("checkpoint_config");
    if (given.present && given.value.json->is_object()) writer_is_known(given.value, c.reading);
}

// ---- once it has been read

/// Reports a check across sections at the member `key` of the section of `row`, or at the section.
inline void refuse_together(Checking& c, std::string_view row, std::string_view key, std::string_view code,
                            std::string message, std::string_view hint) {
    const Given& given = c.field(row);
    const Path above{.key = given.key};
    if (key.empty() || !given.present || !given.value.json->is_object()) {
        c.reading.error(code, above, c.reading.key_span(given.value), std::move(message), hint);
        return;
    }
    const Members members = c.reading.members_of(given.value);
    const Member* member = find_member(members, key);
    c.reading.error(code, Path{.parent = &above, .key = key},
                    member ? c.reading.key_span(member->value) : c.reading.key_span(given.value),
                    std::move(message), hint);
}

inline bool zero_was_taken(const Checking& c) { return c.field("zero_config").passed; }

inline bool sums(const Checking& c) {
    return c.object<DeepSpeedConfig>().gradient_allreduce_op == GradientAllreduceOp::sum;
}
inline void sum_excludes_stage_3(Checking& c) {
    if (sums(c) && zero_was_taken(c) &&
        c.object<DeepSpeedConfig>().zero_config.stage == ZeroStageEnum::weights)
        refuse_together(c, "gradient_allreduce_op", {}, "allreduce-sum",
                        "gradient_allreduce_op \"sum\" does not work at stage 3", "use \"mean\"");
}
inline void sum_excludes_zenflow(Checking& c) {
    if (sums(c) && zero_was_taken(c) && c.object<DeepSpeedConfig>().zero_config.zenflow)
        refuse_together(c, "gradient_allreduce_op", {}, "allreduce-sum",
                        "gradient_allreduce_op \"sum\" does not work with zenflow", "use \"mean\"");
}
inline void sum_excludes_deepcompile(Checking& c) {
    if (sums(c) && c.object<DeepSpeedConfig>().compile_config.deepcompile)
        refuse_together(c, "gradient_allreduce_op", {}, "allreduce-sum",
                        "gradient_allreduce_op \"sum\" does not work with compile.deepcompile",
                        "use \"mean\"");
}

/// The row that bf16's values came from.
inline std::string_view bf16_row(const Checking& c) {
    const Given& newer = c.field("bfloat16_config");
    return newer.present && !newer.value.json->is_null() ? "bfloat16_config" : "bfloat16";
}
inline bool has_no_zero(const Checking& c) {
    return zero_was_taken(c) && c.object<DeepSpeedConfig>().zero_config.stage == ZeroStageEnum::disabled;
}
inline void fp16_master_weights_need_zero(Checking& c) {
    const auto& config = c.object<DeepSpeedConfig>();
    // before 0.17.1 the key counts only while fp16 is enabled
    const bool on = config.float16_config.fp16_master_weights_and_grads &&
                    (c.reading.behaviour.models_precision || config.float16_config.enabled);
    if (!on || !zero_was_taken(c)) return;
    const bool any_stage = c.reading.behaviour.release >= Release("0.18.3");
    const bool fits = any_stage ? !has_no_zero(c) : config.zero_config.stage == ZeroStageEnum::gradients;
    if (!fits)
        refuse_together(
            c, "float16_config", "fp16_master_weights_and_grads", "needs-zero",
            std::string("fp16_master_weights_and_grads needs ZeRO stage ") + (any_stage ? "1, 2 or 3" : "2"),
            "set zero_optimization.stage");
}
inline void bf16_master_weights_need_zero(Checking& c) {
    if (c.object<DeepSpeedConfig>().bfloat16_config.bf16_master_weights_and_grads && has_no_zero(c))
        refuse_together(c, bf16_row(c), "bf16_master_weights_and_grads", "needs-zero",
                        "bf16_master_weights_and_grads needs ZeRO stage 1, 2 or 3",
                        "set zero_optimization.stage");
}
inline void bf16_states_need_zero(Checking& c) {
    if (c.object<DeepSpeedConfig>().bfloat16_config.bf16_optimizer_states && has_no_zero(c))
        refuse_together(c, bf16_row(c), "bf16_optimizer_states", "needs-zero",
                        "bf16_optimizer_states needs ZeRO stage 1, 2 or 3", "set zero_optimization.stage");
}
inline void bf16_states_need_master_weights(Checking& c) {
    const auto& bf16 = c.object<DeepSpeedConfig>().bfloat16_config;
    if (bf16.bf16_optimizer_states && !bf16.bf16_master_weights_and_grads)
        refuse_together(c, bf16_row(c), "bf16_optimizer_states", "needs-master-weights",
                        "bf16_optimizer_states needs bf16_master_weights_and_grads",
                        "set that to true as well");
}

inline constexpr DocumentCheck document_checks[] = {
    DocumentCheck{"removed_key", "keys that were removed are not given", "", removed_keys_are_gone,
                  roughly(removed_keys), "0.19.7"},
    DocumentCheck{"removed_key", "nor those that were removed from the zero section", "",
                  removed_zero_keys_are_gone, "zero_optimization", "0.19.7"},
    DocumentCheck{"elasticity", "elastic training finds a batch for these ranks", "",
                  elastic_training_is_possible, "elasticity", oldest_release, "0.19.8"},
    DocumentCheck{"zero_optimization", "a document without a zero section has its defaults", "zero_config",
                  absent_zero_section_is_completed},
    DocumentCheck{"fp16_and_bf16", "fp16 and bf16 exclude each other", "bfloat16",
                  fp16_and_bf16_exclude_each_other, "bf16 bfloat16"},
    DocumentCheck{"initial_dynamic_scale", "fp16's first loss scale is a power of 2", "bfloat16",
                  initial_scale_is_a_power, "fp16", oldest_release, "0.17.1"},
    DocumentCheck{"wall_clock_breakdown", "it is on where flops_profiler is", "wall_clock_breakdown",
                  wall_clock_breakdown_joins_flops_profiler, "wall_clock_breakdown flops_profiler"},
    DocumentCheck{"checkpoint_pipeline_stage", "checkpoint.parallel_write.pipeline_stage is a flag",
                  "data_types", parallel_write_is_a_flag, "checkpoint", "0.7.4"},
    DocumentCheck{"checkpoint_writer_value", "checkpoint.writer is one of those there are",
                  "datastates_config", checkpoint_writer_is_known, "checkpoint", "0.17.1"},
    DocumentCheck{"batch", "train_batch_size is the product of the other two and the ranks", "end",
                  batch_numbers_agree},
    DocumentCheck{"allreduce_sum_with_stage_3", "gradients are summed below stage 3 only", "end",
                  sum_excludes_stage_3, "gradient_allreduce_op", "0.19.6"},
    DocumentCheck{"allreduce_sum_with_zenflow", "gradients are not summed with zenflow", "end",
                  sum_excludes_zenflow, "gradient_allreduce_op", "0.19.6"},
    DocumentCheck{"allreduce_sum_with_deepcompile", "gradients are not summed with DeepCompile", "end",
                  sum_excludes_deepcompile, "gradient_allreduce_op", "0.19.6"},
    DocumentCheck{"fp16_master_needs_zero", "fp16 master weights need ZeRO", "end",
                  fp16_master_weights_need_zero, "fp16"},
    DocumentCheck{"bf16_master_needs_zero", "bf16 master weights need ZeRO", "end",
                  bf16_master_weights_need_zero, "bf16 bfloat16", "0.18.3"},
    DocumentCheck{"bf16_states_needs_zero", "bf16 optimizer states need ZeRO", "end", bf16_states_need_zero,
                  "bf16 bfloat16", "0.18.3"},
    DocumentCheck{"bf16_states_needs_master", "bf16 optimizer states need bf16 master weights", "end",
                  bf16_states_need_master_weights, "bf16 bfloat16", "0.18.3"},
    DocumentCheck{"vocabulary_size", "vocabulary_size is a multiple of 8", "end", vocabulary_size_is_aligned,
                  "vocabulary_size"},
    DocumentCheck{"max_grad_norm", "max_grad_norm is no parameter of the optimizer", "end",
                  max_grad_norm_belongs_to_the_document, "optimizer"},
};

/// How many rows come before each check.
inline constexpr auto rows_before_checks = [] {
    constexpr auto& rows = schema<DeepSpeedConfig>::rows;
    std::array<std::size_t, std::size(document_checks)> before{};
    for (std::size_t i = 0; i < before.size(); ++i) {
        const std::string_view after = document_checks[i].after;
        if (!after.empty())
            while (before[i] < rows.size() && (before[i] == 0 || rows[before[i] - 1].name != after))
                ++before[i];
    }
    return before;
}();
static_assert(std::is_sorted(rows_before_checks.begin(), rows_before_checks.end()));

}  // namespace dszero
