// SPDX-License-Identifier: MIT
//
// From a document's root to its zero section, as DeepSpeed's get_zero_config goes.
#pragma once

#include <dszero/config/reading.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero.hpp>

#include <span>
#include <string>
#include <string_view>

namespace dszero {

/// The sections of a document, for telling where a key belongs.
inline std::span<const Place> zero_places() {
    static constexpr Place places[] = {
        {"zero_optimization", &section<DeepSpeedZeroConfig>},
        {"zero_optimization.offload_param", &section<DeepSpeedZeroOffloadParamConfig>},
        {"zero_optimization.offload_optimizer", &section<DeepSpeedZeroOffloadOptimizerConfig>},
        {"zero_optimization.zenflow", &section<ZenFlowConfig>},
        {"zero_optimization.leaf_module", &section<DeepSpeedZeroLeafModuleConfig>},
    };
    return places;
}

/// Every key that some release reads at the top level of a document.
inline std::span<const std::string_view> top_level_keys() {
    static constexpr std::string_view keys[] = {"activation_checkpointing",
                                                "aio",
                                                "allgather_size",
                                                "amp",
                                                "autotuning",
                                                "bf16",
                                                "bfloat16",
                                                "checkpoint",
                                                "comet",
                                                "comms_logger",
                                                "communication_data_type",
                                                "compile",
                                                "compression_training",
                                                "csv_monitor",
                                                "curriculum_learning",
                                                "data_efficiency",
                                                "data_types",
                                                "dataloader_drop_last",
                                                "datastates_ckpt",
                                                "disable_allgather",
                                                "disable_python_gc",
                                                "dump_state",
                                                "eigenvalue",
                                                "elasticity",
                                                "expert_parallel",
                                                "flops_profiler",
                                                "fp16",
                                                "gradient_accumulation_steps",
                                                "gradient_allreduce_op",
                                                "gradient_clipping",
                                                "gradient_predivide_factor",
                                                "graph_harvesting",
                                                "hybrid_engine",
                                                "log_level",
                                                "managed_gradient_accumulation",
                                                "memory_breakdown",
                                                "nebula",
                                                "optimizer",
                                                "pipeline",
                                                "prescale_gradients",
                                                "progressive_layer_drop",
                                                "quantize_training",
                                                "scheduler",
                                                "seq_parallel_communication_data_type",
                                                "sequence_parallel_size",
                                                "sparse_attention",
                                                "sparse_gradients",
                                                "steps_per_print",
                                                "tensor_parallel",
                                                "tensorboard",
                                                "timers",
                                                "torch_autocast",
                                                "train_batch_size",
                                                "train_micro_batch_size_per_gpu",
                                                "use_data_before_expert_parallelism",
                                                "vocabulary_size",
                                                "wall_clock_breakdown",
                                                "wandb",
                                                "weight_quantization",
                                                "zero_allow_untested_optimizer",
                                                "zero_force_ds_cpu_optimizer",
                                                "zero_optimization"};
    return keys;
}

inline bool is_top_level_key(std::string_view key) {
    static const KeyIndex index = [] {
        KeyIndex keys;
        for (const std::string_view known : top_level_keys()) keys.add(known);
        return keys;
    }();
    return index.find(key) != KeyIndex::none;
}

constexpr std::string_view zero_optimization = "zero_optimization";

/// Keys beside zero_optimization that were meant to be inside it, or to be it. DeepSpeed ignores them
/// silently.
inline void report_strays(const Members& document, bool has_section, Reading& r) {
    for (const Member& member : document) {
        if (is_top_level_key(member.key)) continue;
        const Path path{.key = member.key};
        Nearest nearest(member.key);
        nearest.consider(zero_optimization);
        if (!has_section && !nearest.name().empty()) {
            r.report(Severity::warning, "unknown-key", path.pointer(), r.key_span(member.value),
                     "nothing reads \"" + std::string(member.key) + "\"",
                     "did you mean \"zero_optimization\"?")
                .replacement = Replacement{r.key_span(member.value), "\"zero_optimization\""};
            continue;
        }
        const Row* row = find_row(section<DeepSpeedZeroConfig>, member.key);
        if (row && row->is_key)
            r.report(Severity::warning, "misplaced-key", path.pointer(), r.key_span(member.value),
                     std::string(member.key) + " is ignored here", "it belongs in zero_optimization");
    }
}

/// The old form, "zero_optimization": true or false, as members of the section that DeepSpeed makes of it.
/// Source: read_zero_config_deprecated in deepspeed/runtime/zero/config.py.
inline Members members_of_boolean_form(const Value& flag, const Members& document, Reading& r) {
    const bool on = boolean_in(*flag.json);
    r.warnings.push_back("deprecated_boolean_format");
    Members members{{"stage", {&r.keep(json_integer(on ? 1 : 0)), flag.node}}};
    std::string rewrite = "{\"stage\": 0}";
    if (on) {
        const Member* size = find_member(document, "allgather_size");
        const Value value = size ? size->value : Value{&r.keep(json_integer(500'000'000)), flag.node};
        members.push_back({"allgather_bucket_size", value});
        rewrite =
            "{\"stage\": 1" + (size ? ", \"allgather_bucket_size\": " + r.shown(value) : std::string()) + "}";
    }
    r.report(Severity::warning, "deprecated-boolean", Path{.key = zero_optimization}.pointer(),
             r.value_span(flag), "a boolean zero_optimization is deprecated", "write " + rewrite)
        .replacement = Replacement{r.value_span(flag), rewrite};
    return members;
}

/// What DeepSpeed's get_zero_config makes of the document `root`: false, and reported, when it refuses.
/// `config` holds the struct's defaults before.
inline bool judge_zero(const Value& root, Reading& r, DeepSpeedZeroConfig& config) {
    r.places = zero_places();
    r.top_level_keys = top_level_keys();
    if (!root.json->is_object()) {
        r.report(Severity::error, "wrong-type", {}, r.value_span(root),
                 "a ds_config document must be an object, got " + r.shown(root));
        return false;
    }
    const Members document = r.members_of(root);
    const Member* zero = find_member(document, zero_optimization);
    report_strays(document, zero != nullptr, r);
    if (r.has_text() && !r.spelling(root).starts_with('{') && document.empty())
        r.report(Severity::warning, "empty-document", {}, r.value_span(root),
                 "the document is empty: every setting has its default, ZeRO is off");

    const std::size_t start = r.diagnostics.size();
    const Path path{.key = zero_optimization};
    apply_defaults_of(r.behaviour.release, section<DeepSpeedZeroConfig>, &config);
    if (!zero || zero->value.json->is_object() || zero->value.json->is_boolean()) {
        const Value whole = zero ? zero->value : root;
        Members members;
        if (zero)
            members =
                whole.json->is_object() ? r.members_of(whole) : members_of_boolean_form(whole, document, r);
        read_members(section<DeepSpeedZeroConfig>, &config, members, whole, r, path);
        r.settle_abort(path);
    } else {
        r.error("wrong-type", path, r.value_span(zero->value),
                "zero_optimization must be an object, got " + r.shown(zero->value));
    }
    return !r.has_errors_since(start);
}

}  // namespace dszero
