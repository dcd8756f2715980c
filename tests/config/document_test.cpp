// SPDX-License-Identifier: MIT
//
// Whole documents against what the real DeepSpeed answered at several world sizes: verdict, values, and
// which check fails first.
#include <dszero/config/document.hpp>
#include <dszero/config/write_document.hpp>

#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

using namespace dszero;
using test::Recorded;

namespace {

/// Equal to what was recorded; an integer beyond 64 bits is saturated here.
bool equal_saturated(const Json& ours, const Recorded& theirs) {
    const Source source{"ours", write_json(ours)};
    Tree tree;
    Diagnostics problems;
    REQUIRE(read(source, {.dialect = Dialect::json}, tree, problems));
    if (ours.is_number_integer() && is_big_integer(*theirs.value, theirs.spelled()))
        return python_number(ours, {}).integer == python_number(*theirs.value, theirs.spelled()).integer;
    return test::same({&source, &tree, &tree.value, 0}, theirs);
}

LoadOptions options_for(const std::string& release, const Recorded& line) {
    LoadOptions options;
    options.release = *Release::parse(release);
    options.world_size = python_number(*line["world_size"].value, {}).integer;
    options.accelerator = Accelerator::cpu;
    return options;
}

/// Every recorded attribute; those not in `answer` have the release's default. Empty if all are equal.
std::string different_attribute(const Json& ours, const Recorded& answer, const Recorded& defaults) {
    for (const auto& [name, preset] : *defaults.value->get_ptr<const Json::object_t*>()) {
        const Recorded changed = answer[name];
        const auto mine = ours.find(name);
        if (mine == ours.end() || !equal_saturated(*mine, changed ? changed : defaults[name])) return name;
    }
    return {};
}

/// Which diagnostic is marked as the one that DeepSpeed stops at: exactly one of a refused document.
std::size_t count_first(const Document& document) {
    std::size_t count = 0;
    for (const Diagnostic& d : document.diagnostics) count += d.first && d.severity == Severity::error;
    return count;
}

std::string batch(const std::string& members, std::int64_t ranks) {
    LoadOptions options;
    options.world_size = ranks;
    const Document document = parse("{" + members + "}", options);
    if (!document.accepted()) return document.first_check;
    return write_json(document.config->train_batch_size.json) + " " +
           write_json(document.config->train_micro_batch_size_per_gpu.json) + " " +
           write_json(document.config->gradient_accumulation_steps.json);
}

}  // namespace

TEST_CASE("documents: verdict, values and the first check, four recorded releases") {
    const std::filesystem::path file = test::data() / "document.jsonl.gz";
    std::string first_line;
    test::for_each_line(file, [&](const std::string& line) {
        if (first_line.empty()) first_line = line;
    });
    const Source head{"head", first_line};
    Tree head_tree;
    Diagnostics problems;
    REQUIRE(read(head, {.dialect = Dialect::json}, head_tree, problems));
    const Recorded header{&head, &head_tree, &head_tree.value, 0};

    std::size_t compared = 0;
    std::vector<std::string> different;
    test::for_each_record(file, [&](const Recorded& line) {
        if (!line["answers"]) return;
        Recorded answer;
        for (const char* release : {"0.14.5", "0.16.9", "0.18.9", "0.19.8"}) {
            if (const Recorded own = line["answers"][release]) answer = own;
            const Document document = parse(line["text"].text(), options_for(release, line));
            ++compared;
            std::string why;
            if (document.accepted() == static_cast<bool>(answer["refused"]))
                why = "verdict";
            else if (document.accepted())
                why = different_attribute(write_document(*document.config, document.release), answer["set"],
                                          header["defaults"][release]);
            else if (!answer["refused"].text().empty() && answer["refused"].text() != document.first_check)
                why = "first check " + document.first_check;
            else if (count_first(document) != 1)
                why = "first";
            if (!why.empty())
                different.push_back(std::string(release) + ' ' + line["id"].text() + ": " + why);
        }
    });
    CHECK(compared == 4 * 4266);
    if (different.size() > 20) different.resize(20);
    CHECK(different == std::vector<std::string>());
}

TEST_CASE("documents: real configurations, four releases, at 1 and 8 ranks") {
    const std::filesystem::path folder = test::shared() / "conformance";
    if (!std::filesystem::exists(folder)) {
        WARN(folder.string() + " is not there: nothing compared");
        return;
    }
    for (const char* release : {"0.14.5", "0.16.9", "0.18.9", "0.19.8"}) {
        std::size_t compared = 0;
        std::vector<std::string> different;
        test::for_each_record(
            folder / ("document-" + std::string(release) + ".jsonl.gz"), [&](const Recorded& line) {
                if (!line["file"]) return;
                ++compared;
                const std::string path = (test::shared() / "corpus" / line["file"].text()).string();
                const Document document = load(path, options_for(release, line));
                std::string why = document.accepted() == line["ok"].yes() ? "" : "verdict";
                if (why.empty() && document.accepted()) {
                    const Json ours = write_document(*document.config, document.release);
                    for (const auto& [name, value] : *line["value"].value->get_ptr<const Json::object_t*>())
                        if (const auto mine = ours.find(name);
                            mine != ours.end() && !equal_saturated(*mine, line["value"][name]))
                            why = name;
                }
                if (why.empty() && !document.accepted() && release == std::string("0.19.8") &&
                    document.first_check != line["check"].text())
                    why = document.first_check;
                if (!why.empty()) different.push_back(line["id"].text() + ": " + why);
            });
        INFO(release);
        CHECK(compared == 2 * 652);
        CHECK(different == std::vector<std::string>());
    }
}

TEST_CASE("batch numbers: any two give the third, in Python's arithmetic") {
    CHECK(batch("\"train_batch_size\": 64, \"train_micro_batch_size_per_gpu\": 2", 4) == "64 2 8");
    CHECK(batch("\"train_micro_batch_size_per_gpu\": 0.5, \"gradient_accumulation_steps\": 2", 1) ==
          "1.0 0.5 2");
    CHECK(batch("\"train_batch_size\": 18446744073709551616, \"train_micro_batch_size_per_gpu\": 4294967296",
                1) == "9223372036854775807 4294967296 4294967296");
    CHECK(batch("\"train_batch_size\": 18446744073709551617, \"train_micro_batch_size_per_gpu\": 4294967296",
                1) == "batch_product_mismatch");
    CHECK(batch("\"train_batch_size\": 7", 2) == "batch_product_mismatch");
    CHECK(batch("\"train_batch_size\": 8, \"train_micro_batch_size_per_gpu\": 0", 1) == "batch_arithmetic");
}

TEST_CASE("batch numbers: nothing is divided by a number that was not given") {
    // Python: 1e308 // 0.5 is inf, inf // 1 would be nan
    LoadOptions options;
    options.caller = Caller::huggingface;
    const Document halves = parse("{\"train_batch_size\": 1e308, \"sequence_parallel_size\": 2}", options);
    CHECK(halves.first_check == "batch_product_mismatch");
    CHECK(halves.diagnostics.at(0).hint == "the product is inf");
}

TEST_CASE("batch numbers: what was completed is completed anew for other ranks") {
    const DeepSpeedConfig config = parse("{\"train_micro_batch_size_per_gpu\": 3}").value();
    CHECK(config.train_batch_size.json == 3);
    CHECK(complete_batch(config, 4).train == 12);
    DeepSpeedConfig changed = config;
    changed.train_batch_size = 24;
    CHECK(complete_batch(changed, 4).accumulation == 2);
}

TEST_CASE("exact numbers: beyond 64 bits as Python has them") {
    const ExactNumber big = ExactNumber::spelled("340282366920938463463374607431768211456");  // 2^128
    CHECK(equal(*floor_divide(big, ExactNumber::spelled("18446744073709551616")),
                ExactNumber::spelled("18446744073709551616")));
    CHECK(equal(*floor_divide(ExactNumber(-7), ExactNumber(2)), ExactNumber(-4)));
    CHECK(equal(big, ExactNumber(0x1p128)));
    CHECK_FALSE(equal(*multiply(big, ExactNumber(3)), ExactNumber(0x1p128)));
    CHECK(*big.real() == 0x1p128);
    CHECK(big.str() == "340282366920938463463374607431768211456");
}

TEST_CASE("documents: the first check of a section with several faults") {
    const auto first_check = [](const std::string& member) {
        return parse("{\"train_batch_size\": 1, " + member + "}").first_check;
    };
    // DeepSpeedAutotuningConfig._initialize looks at the folders before model_info
    CHECK(first_check("\"autotuning\": {\"model_info\": 5, \"results_dir\": \"\"}") ==
          "autotuning_dir_empty");
    CHECK(first_check("\"autotuning\": {\"model_info\": 5}") == "shape:autotuning");
    // a TypeError, which pydantic does not catch: no ValidationError of the section
    CHECK(first_check("\"wandb\": {\"team\": 5, \"self\": 1}") == "shape:monitor");
    CHECK(first_check("\"wandb\": {\"team\": 5}") == "section:monitor");
    // DeepSpeedMonitorConfig holds all four: a TypeError in one hides what is wrong with the others' fields
    CHECK(first_check("\"tensorboard\": {\"enabled\": \"x\"}, \"wandb\": {\"self\": 1}") == "shape:monitor");
    CHECK(first_check("\"csv_monitor\": {\"enabled\": \"x\"}, \"tensorboard\": {\"self\": 1}") ==
          "shape:monitor");
    CHECK(first_check("\"tensorboard\": 3, \"comet\": {\"self\": 1}") == "shape:monitor");
    const Document both =
        parse(R"({"train_batch_size": 1, "tensorboard": {"enabled": "x"}, "wandb": {"self": 1}})");
    for (const Diagnostic& d : both.diagnostics) CHECK(d.first == (d.pointer == "/wandb"));
}

TEST_CASE("documents: what DeepSpeed opens only when it is used may be anything") {
    const auto accepted = [](const std::string& member) {
        return parse("{\"train_batch_size\": 1, " + member + "}").accepted();
    };
    const auto random_ltd = [](const std::string& section) {
        return "\"data_efficiency\": {\"data_routing\": {\"random_ltd\": " + section + "}}";
    };
    CHECK(accepted(random_ltd(R"({"random_ltd_schedule": [1]})")));
    CHECK(accepted(random_ltd(R"({"random_ltd_schedule": {"schedule_config": 5}})")));
    CHECK_FALSE(accepted(random_ltd("[1]")));
    CHECK_FALSE(accepted(R"("checkpoint": {"parallel_write": [1]})"));
}

TEST_CASE("documents: precision in older releases") {
    LoadOptions options;
    options.release = "0.18.9";
    const auto bf16 = [&](const std::string& section) {
        return parse("{\"train_batch_size\": 1, \"bf16\": " + section + "}", options).value().bfloat16_config;
    };
    CHECK_FALSE(bf16("{}").check_grad_overflow);  // true from 0.19.3 on
    CHECK(bf16("{\"check_grad_overflow\": true}").check_grad_overflow);

    // 0.16.9's get_fp16_master_weights_and_grads_enabled gives what is written, and _do_error_check asks
    // whether Python finds it true
    options.release = "0.16.9";
    const std::string fp16 =
        "{\"train_batch_size\": 1, \"fp16\": {\"enabled\": true, "
        "\"fp16_master_weights_and_grads\": ";
    CHECK_FALSE(parse(fp16 + "\" \"}}", options).accepted());
    CHECK(parse(fp16 + "\"\"}}", options).accepted());
}

TEST_CASE("documents: what single releases do") {
    const auto accepted = [](const char* release, const std::string& member) {
        LoadOptions options;
        options.release = *Release::parse(release);
        return parse("{\"train_batch_size\": 1, " + member + "}", options).accepted();
    };
    // get_communication_data_type of 0.7 to 0.14.0 compares with "bfp16"
    CHECK_FALSE(accepted("0.12.6", "\"communication_data_type\": \"bf16\""));
    CHECK(accepted("0.12.6", "\"communication_data_type\": \"BFP16\""));
    CHECK_FALSE(accepted("0.14.5", "\"communication_data_type\": \"bfp16\""));
    CHECK(accepted("0.14.5", "\"communication_data_type\": \"bf16\""));
    // get_checkpoint_writer_config came in 0.17.1, datastates_ckpt, which is read before it, in 0.18.1
    const std::string writer = "\"checkpoint\": {\"writer\": {\"data_parallel\": \"x\"}}";
    CHECK(accepted("0.16.9", writer));
    CHECK_FALSE(accepted("0.17.6", writer));
    CHECK_FALSE(accepted("0.18.9", writer));
    // DeepSpeedAutotuningConfig asserts that its folders have names from 0.7.5 on
    CHECK(accepted("0.7.4", "\"autotuning\": {\"results_dir\": \"\"}"));
    CHECK_FALSE(accepted("0.7.5", "\"autotuning\": {\"results_dir\": \"\"}"));
}

TEST_CASE("documents: an inferred verdict says so") {
    LoadOptions options;
    CHECK_FALSE(parse("{\"train_batch_size\": 1}", options).inferred);
    options.release = "0.17.6";
    const Document document = parse("{\"train_batch_size\": 1}", options);
    CHECK(document.inferred);
    CHECK(document.diagnostics.at(0).code == "inferred");
    options.release = "0.18.9";
    const auto elastic = [&](const std::string& largest) {
        return parse("{\"elasticity\": {\"enabled\": true, \"max_train_batch_size\": " + largest +
                         ", \"micro_batch_sizes\": [2]}}",
                     options);
    };
    CHECK_FALSE(elastic("8").inferred);
    CHECK(elastic("1e12").inferred);
}

TEST_CASE("documents: elastic training works the batch out as DeepSpeed 0.18.9 does for 8 ranks") {
    struct Answer {
        std::string_view elasticity;
        std::vector<int> batch;  // none: refused
    };
    const Answer answers[] = {
        {R"("max_train_batch_size": 2000, "micro_batch_sizes": [2, 4, 6], "version": 0.1)", {1680, 6, 35}},
        {R"("max_train_batch_size": 10000, "micro_batch_sizes": [8, 12, 16, 17], "min_gpus": 32, "max_gpus": 1500,
            "version": 0.1)",
         {}},
        {R"("max_train_batch_size": 2000, "micro_batch_sizes": [2, 4, 6], "num_gpus_per_node": 4)",
         {1920, 6, 40}},
        {R"("max_train_batch_size": 100, "micro_batch_sizes": [7], "num_gpus_per_node": 8, "min_gpus": 8,
            "max_gpus": 8)",
         {56, 7, 1}},
        {R"("max_train_batch_size": 100, "micro_batch_sizes": [16, 2], "num_gpus_per_node": 3)", {96, 2, 6}},
        {R"("max_train_batch_size": 2000, "micro_batch_sizes": [2, 4, 6], "num_gpus_per_node": 4,
            "model_parallel_size": 2)",
         {1920, 6, 40}},
        {R"("max_train_batch_size": 33.5, "micro_batch_sizes": [3, 5], "version": 0.1)", {}},
        {R"("max_train_batch_size": 4, "micro_batch_sizes": [8])", {}},
        {R"("max_train_batch_size": 64, "micro_batch_sizes": [2.0])", {48, 2, 3}},
        {R"("max_train_batch_size": 64, "micro_batch_sizes": [2], "version": 0.3)", {}},
    };
    LoadOptions options;
    options.release = "0.18.9";
    options.world_size = 8;
    for (const Answer& answer : answers) {
        const std::string section(answer.elasticity);
        INFO(section);
        const Document document = parse("{\"elasticity\": {\"enabled\": true, " + section + "}}", options);
        REQUIRE(document.accepted() == !answer.batch.empty());
        if (!document.accepted()) continue;
        CHECK(document.value().train_batch_size == BatchNumber(answer.batch[0]));
        CHECK(document.value().train_micro_batch_size_per_gpu == BatchNumber(answer.batch[1]));
        CHECK(document.value().gradient_accumulation_steps == BatchNumber(answer.batch[2]));
        // batch numbers in the document are refused, unless they are to be ignored
        const std::string beside = "{\"train_batch_size\": 5, \"elasticity\": {\"enabled\": true, " + section;
        CHECK_FALSE(parse(beside + "}}", options).accepted());
        CHECK(parse(beside + ", \"ignore_non_elastic_batch_info\": true}}", options).value() ==
              parse("{\"elasticity\": {\"enabled\": true, " + section +
                        ", \"ignore_non_elastic_batch_info\": true}}",
                    options)
                  .value());
    }
}

TEST_CASE("documents: compression_training in releases that read it") {
    const auto accepted = [](const std::string& techniques, Release release = "0.18.9") {
        LoadOptions options;
        options.release = release;
        return parse("{\"train_batch_size\": 8, \"compression_training\": {" + techniques + "}}", options)
            .accepted();
    };
    CHECK(accepted(R"("row_pruning": {"different_groups": {"a": {"params": {"dense_ratio": 1}}}})"));
    CHECK_FALSE(accepted(R"("row_pruning": {"different_groups": 0})"));
    CHECK_FALSE(accepted(R"("head_pruning": {"different_groups": {"a": {}}})"));
    CHECK_FALSE(accepted(R"("activation_quantization": {"different_groups": {"a": {"params": {}}}})"));
    CHECK_FALSE(
        accepted(R"("sparse_pruning": {"shared_parameters": {"method": "x"}, "different_groups": {}})"));
    // snip_momentum came in 0.9.3
    const std::string snip =
        R"("sparse_pruning": {"different_groups": {}, "shared_parameters": {"method": "snip_momentum")";
    CHECK(accepted(snip + "}}"));
    CHECK_FALSE(accepted(snip + "}}", "0.9.2"));
    CHECK_FALSE(accepted(snip + R"(, "dense_ratio": 1}})"));
    CHECK_FALSE(accepted(snip + R"(, "schedule_offset_end": "1"}})"));
    CHECK_FALSE(accepted(snip + R"(, "schedule_offset": 5, "schedule_offset_end": 4}})"));
}

TEST_CASE("documents: values that DeepSpeed takes as they are") {
    DeepSpeedConfig config =
        parse(R"({"train_batch_size": 8, "pipeline": {"stages": 4, "partition": "uniform"},
        "data_efficiency": {"data_routing": {"random_ltd": {"random_ltd_layer_id": [1, 2]}}}})")
            .value();
    CHECK(config.pipeline.stages.json() == 4);
    CHECK_THROWS_AS(static_cast<std::string>(config.pipeline.stages), std::invalid_argument);
    CHECK(static_cast<std::string>(config.pipeline.partition) == "uniform");
    const auto& ltd = config.data_efficiency_config.data_routing.random_ltd;
    CHECK(static_cast<Json::array_t>(ltd.random_ltd_layer_id) == Json::array_t{1, 2});
    CHECK(static_cast<Json::object_t>(ltd.layer_token_lr_schedule).empty());
    CHECK(ltd.layer_token_lr_schedule.json() == Json::object());
    CHECK(DeepSpeedConfig().pipeline.stages.json() == "auto");

    // a program's own text is kept, not pointed at
    {
        std::string own = "a name that fits into no small string";
        config.pipeline.partition = own;
        own.assign(own.size(), '-');
    }
    CHECK(static_cast<std::string>(config.pipeline.partition) == "a name that fits into no small string");
    config.pipeline.partition = "best";
    CHECK(config.pipeline.partition == DeepSpeedConfig().pipeline.partition);
    config.scheduler.type = std::nullopt;
    CHECK(config.scheduler.type.json().is_null());
}
