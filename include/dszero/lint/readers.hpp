// SPDX-License-Identifier: MIT
//
// Rules on who reads the document: words that somebody else was to replace, texts that
// only DeepSpeed's own reader takes, keys that nothing looks at.
#pragma once

#include <dszero/lint/linting.hpp>
#include <dszero/text/reader.hpp>

#include <array>
#include <string>
#include <string_view>

namespace dszero::rules {

/// Whether the caller replaces "auto" there before DeepSpeed reads the document.
/// Source: HfTrainerDeepSpeedConfig in transformers/integrations/deepspeed.py; Accelerate fills in the same.
inline bool replaces_auto(Caller caller, std::string_view section, std::string_view key) {
    if (caller == Caller::deepspeed) return false;
    constexpr std::string_view of_optimizer = " lr betas eps weight_decay ";
    constexpr std::string_view of_scheduler =
        " warmup_min_lr warmup_max_lr warmup_num_steps total_num_steps ";
    const std::string word = ' ' + std::string(key) + ' ';
    if (section == "/optimizer/params") return of_optimizer.find(word) != std::string_view::npos;
    if (section == "/scheduler/params") return of_scheduler.find(word) != std::string_view::npos;
    return section.empty() && key == "gradient_clipping";
}

/// "auto" where DeepSpeed takes values as they are: the word stays, and whoever uses it trips over it.
inline void unresolved_auto(Linting& lint) {
    const std::string_view hint =
        lint.around.caller == Caller::deepspeed
            ? "write a value; --caller huggingface or accelerate, if they are to replace it"
            : "write a value: this is none that the caller replaces";
    const auto report = [&](const Spot& spot, std::string_view consequence) {
        if (!spot || !is_word(spot.json(), "auto")) return;
        if (replaces_auto(lint.around.caller, spot.part->pointer, spot.member->key)) return;
        lint.at_value(spot,
                      {spot.member->key, " is still \"auto\", and DeepSpeed keeps the word: ", consequence},
                      {hint});
    };
    for (const std::string_view key : {"gradient_clipping", "steps_per_print"})
        report(lint.top[key], "the first step compares it with a number and stops with a TypeError");
    const auto report_all = [&](const Part& part, std::string_view consequence) {
        for (const Member& member : part) report({&part, &member}, consequence);
    };
    report_all(lint.optimizer_params, "the optimizer's constructor stops with a TypeError");
    report_all(lint.scheduler_params, "the schedule stops with a TypeError");
    report_all(lint.aio, "the first swap stops with a TypeError");
}

inline void strict_json(Linting& lint) {
    if (lint.around.caller != Caller::deepspeed || lint.release() < Release("0.8.1")) return;
    if (!lint.document.tree.beyond_json) return;
    Tree tree;
    Diagnostics problems;
    if (read(lint.document.source, {.dialect = Dialect::json, .repeated_keys_refused = false}, tree,
             problems))
        return;
    for (const Diagnostic& problem : problems) {
        if (problem.severity != Severity::error) continue;
        lint.at({static_cast<std::uint32_t>(problem.range.begin.offset),
                 static_cast<std::uint32_t>(problem.range.end.offset)},
                {"only DeepSpeed's own reader takes this: Hugging Face's Trainer and Accelerate read strict "
                 "JSON, and fail here"},
                {"write JSON, without comments and with quotes, if they are to read it"});
        return;
    }
}

inline void read_from_a_dictionary(Linting& lint) {
    const Spot spot = lint.top["sequence_parallel_size"];
    if (!spot || lint.around.caller != Caller::deepspeed) return;
    lint.at_key(spot,
                {"sequence_parallel_size is looked at only in a configuration that is passed as a "
                 "dictionary; in a file it has no effect"},
                {"pass the parsed document to deepspeed.initialize, or an mpu"});
}

inline void never_read(Linting& lint) {
    if (const Spot spot = lint.zero["allgather_partitions"]; spot.is_set()) {
        Diagnostic& d =
            lint.at_key(spot, {"nothing reads allgather_partitions: parameters are gathered all the same"},
                        {"remove it"});
        if (lint.config.zero_config.allgather_partitions) d.severity = Severity::note;
    }
    if (const Spot spot = lint.top["disable_allgather"]) {
        Diagnostic& d = lint.at_key(spot, {"nothing reads disable_allgather"}, {"remove it"});
        if (!is_truthy(spot.json())) d.severity = Severity::note;
    }
}

/// The switches above one that counts.
inline void outer_switch(Linting& lint) {
    const Spot section = lint.top["data_efficiency"];
    if (!section || !section.json().is_object()) return;
    const std::string_view above = "/data_efficiency/enabled";
    constexpr struct {
        std::string_view name, inside, outside;
    } switches[] = {{"curriculum_learning", "/data_efficiency/data_sampling/curriculum_learning/enabled",
                     "/data_efficiency/data_sampling/enabled"},
                    {"random_ltd", "/data_efficiency/data_routing/random_ltd/enabled",
                     "/data_efficiency/data_routing/enabled"}};
    const TreeWalk walk(lint.document);
    const auto is_off = [&](std::string_view pointer) {
        return walk.find(pointer).json && !lint.flag_at(pointer);
    };
    for (const auto& one : switches)
        if (lint.flag_at(one.inside) && (is_off(above) || is_off(one.outside)))
            lint.at_key(
                section,
                {one.name, " is used all the same: DeepSpeed looks at its own enabled, and at none above it"},
                {"switch it off itself"});
}

inline void allgather_bucket(Linting& lint) {
    const Spot spot = lint.zero["allgather_bucket_size"];
    if (!lint.at_stage(1, 2) || !spot.is_set() || lint.config.zero_config.zenflow) return;
    if (lint.config.zero_config.allgather_bucket_size % 2 != 0) return;  // has a rule
    lint.at_key(spot,
                {"allgather_bucket_size has no effect with a torch that gathers into one tensor (1.13 on): "
                 "everything is gathered at once"},
                {"remove it"})
        .severity = Severity::note;
}

inline void contiguous_checkpointing(Linting& lint) {
    const Spot spot = lint.activation_checkpointing["contiguous_memory_optimization"];
    if (!lint.flag(spot)) return;
    const bool partitioned = lint.flag(lint.activation_checkpointing["partition_activations"]);
    const Spot count = lint.activation_checkpointing["number_checkpoints"];
    if (partitioned && count && !count.json().is_null()) return;
    lint.at_key(spot,
                {"contiguous_memory_optimization needs ", partitioned ? "" : "partition_activations",
                 partitioned || (count && !count.json().is_null()) ? "" : " and ",
                 count && !count.json().is_null() ? "" : "number_checkpoints",
                 ": unless the program passes them, checkpointing.configure stops with an assertion"},
                {"add what is missing"})
        .severity = Severity::note;
}

inline constexpr Rule reader_rules[] = {
    {.code = "unresolved-auto",
     .title = "\"auto\" that nobody replaces",
     .what = "Hugging Face's Trainer and Accelerate replace \"auto\" by values of theirs before DeepSpeed "
             "sees it. DeepSpeed drops it in sections of fixed fields, and keeps the word elsewhere.",
     .source = "runtime/config.py; runtime/engine.py, step",
     .run = unresolved_auto,
     .keys = "gradient_clipping steps_per_print params aio",
     .bad = {R"({"train_batch_size": 8, "gradient_clipping": "auto"})"},
     .good = {R"({"train_batch_size": 8, "gradient_clipping": 1.0})"}},
    {.code = "strict-json",
     .title = "A text that only DeepSpeed's reader takes",
     .what = "DeepSpeed reads Hjson: comments, keys without quotes, commas left out. Hugging Face's Trainer "
             "and Accelerate read JSON.",
     .source = "runtime/config.py, hjson.load; transformers/integrations/deepspeed.py, json.load",
     .run = strict_json,
     .severity = Severity::note,
     .since = "0.8.1",
     .bad = {"{\"train_batch_size\": 8,  # samples\n}"},
     .good = {"{\"train_batch_size\": 8\n}"}},
    {.code = "read-from-a-dictionary",
     .title = "A key that is not read from a file",
     .what = "sequence_parallel_size divides the number of ranks, but only where the program passes a "
             "dictionary. For a file, DeepSpeed looks for the key in the path's text.",
     .source = "runtime/config.py, DeepSpeedConfig.__init__",
     .run = read_from_a_dictionary,
     .keys = "sequence_parallel_size",
     .since = "0.14.5",
     .bad = {R"({"train_batch_size": 8, "sequence_parallel_size": 1})"},
     .good = {R"({"train_batch_size": 8, "sequence_parallel_size": 1})", {.caller = Caller::huggingface}}},
    {.code = "never-read",
     .title = "An option that nothing reads any more",
     .what = "allgather_partitions and disable_allgather are stored, and nothing asks for them. One that "
             "says what happens anyway is a note.",
     .source = "runtime/engine.py, zero_allgather_partitions, which has no caller",
     .run = never_read,
     .keys = "allgather_partitions disable_allgather",
     .bad = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 1, "allgather_partitions": false}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 1}})"}},
    {.code = "outer-switch",
     .title = "Switched off outside, and used all the same",
     .what = "The enabled of data_efficiency, data_sampling and data_routing is stored, and nothing asks for "
             "it: those "
             "of curriculum_learning and random_ltd inside decide.",
     .source = "runtime/engine.py, curriculum_learning_enabled and random_ltd_enabled",
     .run = outer_switch,
     .keys = "data_efficiency",
     .since = "0.8.0",
     .bad = {R"({"train_batch_size": 8, "data_efficiency": {"enabled": false, "data_sampling": {
 "curriculum_learning": {"enabled": true, "curriculum_metrics": {}}}}})"},
     .good = {R"({"train_batch_size": 8, "data_efficiency": {"enabled": true, "data_sampling": {
 "curriculum_learning": {"enabled": true, "curriculum_metrics": {}}}}})"}},
    {.code = "allgather-bucket",
     .title = "allgather_bucket_size has no effect with a current torch",
     .what = "Where torch has all_gather_into_tensor, 1.13 on, stages 1 and 2 gather each group at once.",
     .source = "runtime/utils.py, all_gather_dp_groups",
     .run = allgather_bucket,
     .keys = "allgather_bucket_size",
     .severity = Severity::note,
     .since = "0.9.0",
     .bad =
         {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "allgather_bucket_size": 200000000}})"},
     .good = {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2}})"}},
    {.code = "contiguous-checkpointing",
     .title = "What contiguous_memory_optimization needs",
     .what = "Checkpoints are kept in one piece of memory only if they are partitioned and their number is "
             "known. checkpointing.configure asserts it; a program can pass both as arguments.",
     .source = "runtime/activation_checkpointing/checkpointing.py, configure",
     .run = contiguous_checkpointing,
     .keys = "contiguous_memory_optimization",
     .severity = Severity::note,
     .bad =
         {R"({"train_batch_size": 8, "activation_checkpointing": {"contiguous_memory_optimization": true}})"},
     .good = {R"({"train_batch_size": 8, "activation_checkpointing": {"contiguous_memory_optimization": true,
 "partition_activations": true, "number_checkpoints": 24}})"}},
};

}  // namespace dszero::rules
