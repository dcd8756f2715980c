// SPDX-License-Identifier: MIT
#include <dszero/lint/review.hpp>

#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

using namespace dszero;

namespace {

Document judged(std::string_view text, const Surroundings& around = {}, Release release = newest_release) {
    return parse(std::string(text), {.release = release,
                                     .world_size = around.world_size,
                                     .accelerator = around.accelerator,
                                     .caller = around.caller,
                                     .name = "ds_config.json"});
}

/// What is said about an example, rendered.
std::string said(const Example& example) {
    const Document document = judged(example.text, example.around, example.release);
    return render_text(document.source, review(document, example.around).diagnostics());
}

std::vector<std::string> codes_of(const Diagnostics& diagnostics) {
    std::vector<std::string> codes;
    for (const Diagnostic& d : diagnostics)
        if (d.code != "inferred") codes.push_back(d.code);  // said of every release without recorded answers
    return codes;
}

std::vector<std::string> codes(std::string_view text, const Surroundings& around = {},
                               Release release = newest_release) {
    const Document document = judged(text, around, release);
    return codes_of(review(document, around).diagnostics());
}

std::vector<const Rule*> every_code() {
    std::vector<const Rule*> all;
    for (const Rule& verdict : verdicts) all.push_back(&verdict);
    for (const std::span<const Rule> group : lint_rules)
        for (const Rule& rule : group) all.push_back(&rule);
    return all;
}

using Codes = std::vector<std::string>;

}  // namespace

TEST_CASE("rules: the first example has exactly the rule's finding, the second has none") {
    for (const Rule* rule : every_code()) {
        if (rule->bad.text.empty()) continue;  // nothing short has it alone
        INFO(rule->code);
        INFO(said(rule->bad));
        const Document bad = judged(rule->bad.text, rule->bad.around, rule->bad.release);
        const Diagnostics found = review(bad, rule->bad.around).diagnostics();
        CHECK(codes_of(found) == Codes{std::string(rule->code)});
        CHECK(bad.accepted() == (rule->severity != Severity::error));
        if (rule->severity != Severity::error) {
            REQUIRE(!found.empty());
            CHECK(found.back().severity == rule->severity);
            CHECK(found.back().range.begin.line > 0);
        }
        INFO(said(rule->good));
        CHECK(judged(rule->good.text, rule->good.around, rule->good.release).accepted());
        CHECK(codes(rule->good.text, rule->good.around, rule->good.release).empty());
    }
}

TEST_CASE("rules: each has a code, a title, a reason and a source of its own") {
    std::set<std::string_view> codes;
    for (const Rule* rule : every_code()) {
        INFO(rule->code);
        CHECK(codes.insert(rule->code).second);
        CHECK_FALSE(rule->title.empty());
        CHECK(rule->what.ends_with('.'));
        CHECK_FALSE(rule->source.empty());
        CHECK(rule->since < rule->until);
        CHECK(rule->applies_to(rule->bad.release));
    }
}

TEST_CASE("lint: never an error, and nothing of it changes the verdict") {
    for (const Rule* rule : every_code()) {
        if (!rule->run) continue;
        for (const Diagnostic& d :
             lint(judged(rule->bad.text, rule->bad.around, rule->bad.release), rule->bad.around))
            CHECK(d.severity != Severity::error);
    }
}

TEST_CASE("lint: a refused document is linted as far as it can be read") {
    CHECK(
        codes(
            R"({"train_batch_size": 0, "zero_optimization": {"stage": 2, "offload_param": {"device": "cpu"}}})") ==
        Codes{"train-batch-not-positive", "no-effect-at-stage"});
    // nothing is said about the effect of a stage that is not known
    CHECK(
        codes(
            R"({"train_batch_size": 8, "zero_optimization": {"stage": 7, "offload_param": {"device": "cpu"}}})") ==
        Codes{"wrong-type"});
    CHECK(lint(judged("{\"train_batch_size\"")).empty());
    CHECK(lint(judged("[1, 2]")).empty());
}

TEST_CASE("unread-key: said once, with where it belongs") {
    const Document document =
        judged(R"({"train_batch_size": 8, "overlap_comm": true, "zero_optimization": {"stage": 1}})");
    const Diagnostics found = review(document).diagnostics();
    REQUIRE(found.size() == 1);
    CHECK(found[0].hint == "it belongs in zero_optimization");
}

TEST_CASE("unread-key: a remark for people is no finding") {
    CHECK(codes(R"({"train_batch_size": 8, "comment": "x", "_note": 1, "$schema": "y", "//": "z"})").empty());
}

TEST_CASE("accumulation types without ZeRO: bf16 was accumulated in fp32 before 0.17.6, in bf16 since") {
    const auto found = [](const char* type, Release release) {
        return codes(
            std::string(
                R"({"train_batch_size": 8, "bf16": {"enabled": true}, "data_types": {"grad_accum_dtype": ")") +
                type + "\"}}",
            {}, release);
    };
    const Codes refused{"accumulation-type-without-zero"};
    CHECK(found("bf16", "0.15.4") == refused);
    CHECK(found("fp32", "0.15.4").empty());
    CHECK(found("bf16", "0.18.9").empty());
    CHECK(found("fp32", "0.18.9") == refused);
}

TEST_CASE("$schema, which editors look for: nothing to DeepSpeed, and nothing to say") {
    const std::string text = R"({"$schema": "./ds_config.schema.json", "train_batch_size": 8})";
    for (const Release release : recorded_releases) {
        const Document document = judged(text, {}, release);
        CHECK(document.accepted());
        CHECK(document.warnings.empty());
        CHECK(review(document).diagnostics().empty());
        CHECK(document.value() == judged(R"({"train_batch_size": 8})", {}, release).value());
    }
}

TEST_CASE("unread-key: in the sections inside of data_efficiency and checkpoint, too") {
    const auto hint = [](const std::string& member) {
        const Diagnostics found = review(judged("{\"train_batch_size\": 8, " + member + "}")).diagnostics();
        return found.size() == 1 && found[0].code == "unread-key" ? found[0].hint
                                                                  : std::to_string(found.size());
    };
    CHECK(hint(R"("data_efficiency": {"data_sampling": {"num_epoch": 2}})") ==
          "did you mean \"num_epochs\"?");
    CHECK(
        hint(
            R"("data_efficiency": {"data_routing": {"random_ltd": {"random_ltd_schedule": {"minvalue": 2}}}})") ==
        "did you mean \"min_value\"?");
    CHECK(hint(R"("checkpoint": {"writer": {"io_buffersize": 2}})") == "did you mean \"io_buffer_size\"?");
    CHECK(hint(R"("checkpoint": {"parallel_write": {"pipeline_stages": true}})") ==
          "did you mean \"pipeline_stage\"?");
    // what DeepSpeed's own documentation shows: all of it is read
    CHECK(codes(R"({"train_batch_size": 8,
 "data_efficiency": {"enabled": true, "seed": 1234,
  "data_routing": {"enabled": true, "random_ltd": {"enabled": true, "total_layer_num": 24,
   "random_ltd_layer_num": 22, "random_ltd_layer_id": [1, 2], "model_mask_name": "attention_mask",
   "model_type": "decoder", "hidden_state_order": "seq_batch_dim",
   "random_ltd_schedule": {"min_value": 128, "max_value": 2048, "schedule_type": "fixed_linear",
    "schedule_config": {"require_steps": 200000, "seq_per_step": 16}}}},
  "data_sampling": {"enabled": true, "num_epochs": 1, "num_workers": 0, "curriculum_learning": {"enabled": true,
   "data_cluster_path": "/path", "curriculum_metrics": {"vocabularyrarity": {"index_to_sample_path": "/a",
    "index_to_metric_path": "/b", "difficulty_type": "percentile", "clustering_type": "schedule_based",
    "min_difficulty": 1, "max_difficulty": 100, "schedule_type": "fixed_root",
    "schedule_config": {"total_curriculum_step": 110000, "difficulty_step": 1, "root_degree": 2}}}}}},
 "checkpoint": {"parallel_write": {"pipeline_stage": false}, "writer": {"type": "fast", "decoupled": true,
  "io_buffer_size": 64000000, "io_buffer_double": true, "show_statistics": false, "data_parallel": "socket",
  "io_multiplier": 1}}})")
              .empty());
}

TEST_CASE("unread-key: many keys of another program are one finding") {
    CHECK(
        codes(
            R"({"train_batch_size": 8, "vocab_file": "v", "num_layers": 1, "hidden": 2, "heads": 3, "rotary": 4})") ==
        Codes{"unread-key"});
}

// ---- waivers

TEST_CASE("waiver: in a comment behind or above what it is about") {
    CHECK(
        codes("{\"train_batch_size\": 8, # dszero: ignore strict-json: ours\n"
              "\"zero_optimization\": {\"stage\": 1,\n"
              "  \"allgather_partitions\": false  // dszero: ignore never-read: an old cluster reads it\n}}")
            .empty());
    CHECK(codes("{\"train_batch_size\": 8, # dszero: ignore strict-json: ours\n"
                "\"zero_optimization\": {\"stage\": 1,\n"
                "  /* dszero: ignore never-read: an old cluster reads it */\n\n"
                "  \"allgather_partitions\": false\n}}")
              .empty());
}

TEST_CASE("waiver: several codes share a reason") {
    CHECK(codes("{\n# dszero: ignore unread-key, zero-divides: checked\n\"steps_per_print\": 0,\n"
                "\"train_batch_size\": 8 }") == Codes{"strict-json", "unused-waiver"});
}

TEST_CASE("waiver: what only looks like one is none") {
    // in a string that Hjson reads to the end of the line, and in a quoted one
    CHECK(codes("{\"train_batch_size\": 8, \"dump_state\": \"# dszero: ignore unread-key: no\"}").empty());
    const Document document = judged("{train_batch_size: 8\nx: y # dszero: ignore unread-key: no\n}");
    CHECK(waivers_in(document).empty());
}

TEST_CASE("waiver: a hundred thousand of them take no time to speak of") {
    std::string text = "{\"train_batch_size\": 8,\n";
    for (int i = 0; i < 100'000; ++i) text += "// dszero: ignore unread-key: x\n";
    const Document document = judged(text + "}");
    const auto begin = std::chrono::steady_clock::now();
    const std::vector<Waiver> waivers = waivers_in(document);
    CHECK(waivers.size() == 100'000);
    CHECK(waivers.back().own_line == 100'001);
    CHECK(std::chrono::steady_clock::now() - begin <
          std::chrono::seconds(5));  // a minute, if it were quadratic
}

TEST_CASE("waiver: one that names no code is reported") {
    CHECK(codes("{\"train_batch_size\": 8 // dszero: ignore\n}") == Codes{"strict-json", "unused-waiver"});
    CHECK(codes("{\"train_batch_size\": 8 /* dszero: ignore */}") == Codes{"strict-json", "unused-waiver"});
    CHECK(codes("{\"train_batch_size\": 8 // dszero: ignored\n}") == Codes{"strict-json"});
}

TEST_CASE("waiver: the verdict's warnings can be waived, its errors cannot") {
    CHECK(codes("{\"train_batch_size\": 8, \"optimizer\": {\"type\": \"Adam\"},\n"
                "// dszero: ignore deprecated-key, strict-json: until the old cluster is gone\n"
                "\"zero_optimization\": {\"stage\": 2, \"cpu_offload\": true}}") == Codes{});
    CHECK(codes("{\"train_batch_size\": 8,\n// dszero: ignore unknown-key, strict-json: no\n"
                "\"zero_optimization\": {\"stge\": 2}}")
              .front() == "unknown-key");
}

TEST_CASE("waiver: in a file beside the document, by pointer or everywhere") {
    const Document document = judged(
        R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "allgather_partitions": false}})");
    const Source file{
        "ds_config.json.waivers",
        "# ours\nnever-read /zero_optimization/allgather_partitions: an old cluster: reads it\n"
        "checkpoint-without-weights: zero_to_fp32.py does it\nzero-off: nothing\nunheard-of: x\n"};
    const Review result = review(document, {}, file);
    CHECK(result.diagnostics().empty());
    REQUIRE(result.waived.size() == 2);
    CHECK(std::any_of(result.waived.begin(), result.waived.end(),
                      [](const Waived& w) { return w.reason == "an old cluster: reads it"; }));
    REQUIRE(codes_of(result.beside) == Codes{"unused-waiver", "unused-waiver"});
    CHECK(result.beside[0].range.begin.line == 4);
}

// ---- what users of ds_config.json have suffered from

namespace {

struct Pain {
    const char* what;
    Example document;
    const char* line;  ///< of what is said
};

const Pain pains[] = {
    {"a key beside its section: DeepSpeed#1935",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2}, "offload_optimizer": {"device": "cpu"}})"},
     "hint: it belongs in zero_optimization"},
    {"a fraction that Hugging Face filled in: DeepSpeed#6525",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "stage3_prefetch_bucket_size": 15099494.4}})"},
     "must be an integer, got 15099494.4, a fraction"},
    {"\"auto\" that nobody replaced: DeepSpeed#1270",
     {R"({"train_batch_size": 8, "gradient_clipping": "auto"})"},
     "the first step compares it with a number and stops with a TypeError"},
    {"\"auto\" that is dropped without a word",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": "auto"}})"},
     "DeepSpeed drops \"auto\" and takes the default"},
    {"a field of a newer release: DeepSpeed#3827",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3, "zero_hpz_partition_size": 8}})",
      {},
      "0.9.5"},
     "known since 0.10.0; the target is 0.9.5"},
    {"keys of fp16 in bf16: FlagEmbedding#1487",
     {R"({"train_batch_size": 8, "bf16": {"enabled": true, "loss_scale": 0}})"},
     "error: unknown key \"loss_scale\""},
    {"batch numbers that do not multiply: DeepSpeed#3228",
     {R"({"train_batch_size": 16, "train_micro_batch_size_per_gpu": 2, "gradient_accumulation_steps": 1})"},
     "train_batch_size"},
    {"offloading with the program's optimizer: DeepSpeed#2971",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "cpu"}}})"},
     "other than DeepSpeedCPUAdam or DeepSpeedCPULion, is refused by deepspeed.initialize"},
    {"overlap_comm and contiguous_gradients: DeepSpeed#7188",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "overlap_comm": true}})", {}, "0.18.9"},
     "the gradients' norm becomes NaN now and then"},
    {"a buffer smaller than the largest parameter: DeepSpeed#3506",
     {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
          "offload_param": {"device": "nvme", "nvme_path": "/nvme"}}})",
      {.model = {.largest_parameter = 524709888}}},
     "524709888 elements, does not fit into a buffer of 100000000"},
    {"no buffer left: DeepSpeed#3062",
     {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
          "offload_param": {"device": "nvme", "nvme_path": "/nvme", "buffer_count": 0}}})"},
     "Not enough buffers 0"},
    {"parameters on NVMe, the optimizer on the host: DeepSpeed#4998",
     {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
          "offload_param": {"device": "nvme", "nvme_path": "/nvme"}, "offload_optimizer": {"device": "cpu"}}})",
      {},
      "0.16.3"},
     "'NoneType' object has no attribute 'swap_folder'"},
    {"NVMe that is host memory",
     {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
          "zero_optimization": {"stage": 2, "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}}})",
      {.model = {.parameters = 8'589'934'592}}},
     "at stage 2 nvme means cpu: the optimizer's states go to 96 GiB of host memory a rank, and nothing to "
     "NVMe"},
    {"an option of another stage: wenet#2499",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_param": {"device": "cpu"}}})"},
     "offload_param has no effect at stage 2: the parameters stay on the device"},
    {"an offload block that is off",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "offload_optimizer": {}}})"},
     "offload_optimizer has no device, so it is none: nothing is offloaded"},
    {"NVMe without a path: accelerate#1463",
     {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"},
          "zero_optimization": {"stage": 3, "offload_optimizer": {"device": "nvme"}}})"},
     "offload_optimizer to nvme has no nvme_path"},
    {"cpu_offload beside offload_optimizer: gpt-neox#469",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "cpu_offload": false, "offload_optimizer": {}}})"},
     "cpu_offload is deprecated and cannot be given together with offload_optimizer"},
    {"a key that only the documentation has: DeepSpeed#1145",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "grad_hooks": true}})"},
     "unknown key \"grad_hooks\""},
    {"a zero that divides: DeepSpeed#8260",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 2, "reduce_bucket_size": 0}})", {}, "0.19.5"},
     "reduce_bucket_size 0 stops the first backward pass with a ZeroDivisionError"},
    {"a checkpoint without what is on NVMe: DeepSpeed#2898",
     {R"({"train_batch_size": 8, "optimizer": {"type": "AdamW"}, "zero_optimization": {"stage": 3,
          "offload_optimizer": {"device": "nvme", "nvme_path": "/nvme"}}})",
      {},
      "0.12.6"},
     "training cannot be resumed from it"},
    {"empty weights in a saved model: transformers#20082",
     {R"({"train_batch_size": 8, "zero_optimization": {"stage": 3}})"},
     "a state_dict() has empty weights"},
    {"a comment that only DeepSpeed's reader takes: accelerate#936",
     {"{\"train_batch_size\": 8, // samples\n}"},
     "Hugging Face's Trainer and Accelerate read strict JSON, and fail here"},
};

}  // namespace

TEST_CASE("what users have suffered from is said") {
    for (const Pain& pain : pains) {
        INFO(pain.what);
        const std::string all = said(pain.document);
        INFO(all);
        CHECK(all.find(pain.line) != std::string::npos);
    }
}

TEST_CASE("lint: a parameter of one letter is no misspelling of what only separates names") {
    for (const char* schedule : {"WarmupLR", "WarmupDecayLR", "OneCycle", "LRRangeTest"})
        for (const char* key : {"x", "|"}) {
            const Review result =
                review(judged(R"({"train_batch_size": 8, "scheduler": {"type": ")" + std::string(schedule) +
                              R"(", "params": {")" + key +
                              R"(": 1, "total_num_steps": 1, "cycle_min_lr": 1, "cycle_max_lr": 1}}})"));
            const auto found = std::find_if(
                result.findings.begin(), result.findings.end(),
                [&](const Diagnostic& d) { return d.pointer == "/scheduler/params/" + std::string(key); });
            REQUIRE(found != result.findings.end());
            CHECK(found->hint == "remove it");
        }
}

// ---- which rules run

namespace {

/// What all rules find, whatever keys are written.
Diagnostics all_find(const Document& document, const Surroundings& around) {
    Linting linting(document, around);
    for (const std::span<const Rule> group : lint_rules)
        for (const Rule& rule : group)
            if (rule.applies_to(document.release)) linting.run(rule);
    Diagnostics findings = linting.take();
    finish(document.source.text, findings);
    return findings;
}

/// The documents of which lint leaves out a rule that finds something.
std::vector<std::string> missed(std::string_view text, std::size_t& found) {
    constexpr Surroundings surroundings[] = {
        {},
        {.world_size = 12,
         .accelerator = Accelerator::cpu,
         .gpus_per_node = 8,
         .model = {.parameters = 125'000'000, .largest_parameter = 524'709'888}},
        {.world_size = 8,
         .caller = Caller::huggingface,
         .model = {.parameters = 5000, .largest_parameter = 50}}};
    std::vector<std::string> texts;
    for (const Release release :
         {newest_release, Release("0.18.9"), Release("0.16.9"), Release("0.9.5"), oldest_release})
        for (const Surroundings& around : surroundings) {
            const Document document = judged(text, around, release);
            if (!document.tree.value.is_object()) continue;
            const Diagnostics all = all_find(document, around);
            found += all.size();
            if (render_json(lint(document, around)) != render_json(all))
                texts.push_back(release.str() + ' ' + std::string(text));
        }
    return texts;
}

}  // namespace

TEST_CASE("lint: the rules that the written keys choose find what all rules find") {
    std::vector<std::string> different;
    std::size_t found = 0;
    const auto compare = [&](std::string_view text) {
        const std::vector<std::string> more = missed(text, found);
        different.insert(different.end(), more.begin(), more.end());
    };
    for (const Rule* rule : every_code()) compare(rule->bad.text), compare(rule->good.text);
    test::for_each_record(test::data() / "document.jsonl.gz", [&](const test::Recorded& line) {
        if (line["text"]) compare(line["text"].text());
    });
    const std::filesystem::path corpus = test::shared() / "corpus";
    if (std::filesystem::exists(corpus))
        for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus))
            if (entry.is_regular_file() && entry.path().extension() == ".json")
                compare(test::read_file(entry.path()));
    CHECK(found > 10'000);
    CHECK(different == std::vector<std::string>());
}

// ---- real documents

TEST_CASE("lint: every code that real documents get is explained, and lint keeps to the documents' text") {
    const std::filesystem::path corpus = std::filesystem::path(DSZERO_SHARED) / "corpus";
    if (!std::filesystem::exists(corpus)) return;
    std::set<std::string> unexplained;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
        if (!entry.is_regular_file() || entry.path().extension() != ".json") continue;
        for (const Release release : {newest_release, Release("0.14.5"), oldest_release}) {
            const Document document = load(entry.path().string(), {.release = release});
            for (const Diagnostic& d : review(document).diagnostics()) {
                if (!find_code(d.code)) unexplained.insert(d.code);
                CHECK(d.range.end.offset <= document.source.text.size());
            }
        }
    }
    CHECK(unexplained == std::set<std::string>{});
}
