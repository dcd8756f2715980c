// SPDX-License-Identifier: MIT
//
// Training runs of a few steps: what must be the same whatever the stage, and what must not.
#include "train.hpp"
#include "support/catch.hpp"

#include <cmath>
#include <cstring>
#include <stdexcept>
#include <string>
#include <vector>

using namespace gpt;

namespace {

const Text text([] {
    std::string bytes;
    for (int i = 0; i < 200; ++i)
        bytes += "the cat sat on the mat; " + std::to_string(i) + " times it sat.\n";
    return bytes;
}());

constexpr TrainOptions short_run{.ranks = 2,
                                 .steps = 12,
                                 .progress_every = 0,
                                 .shape = {.layers = 2, .heads = 2, .width = 16, .context = 16}};

dszero::DeepSpeedConfig config(int stage, const std::string& more = {}) {
    return dszero::parse(R"({"train_micro_batch_size_per_gpu": 2,
        "optimizer": {"type": "AdamW", "params": {"lr": 0.01, "weight_decay": 0.1}},
        "zero_optimization": {"stage": )" +
                         std::to_string(stage) + R"(, "reduce_bucket_size": 4000,
        "stage3_param_persistence_threshold": 20, "stage3_max_live_parameters": 5000,
        "stage3_prefetch_bucket_size": 3000})" +
                         more + "}")
        .value();
}

void check_same_bits(const Run& a, const Run& b) {
    CHECK(a.losses == b.losses);
    REQUIRE(a.weights.size() == b.weights.size());
    CHECK(std::memcmp(a.weights.data(), b.weights.data(), a.weights.size() * sizeof(float)) == 0);
}

}  // namespace

TEST_CASE("train: losses and weights are the same bits at every stage") {
    const std::string type = GENERATE(as<std::string>(), "fp32", "bf16", "fp16");
    INFO(type);
    const std::string more = type == "fp32" ? "" : ", \"" + type + R"(": {"enabled": true})";
    const Run at_0 = train(config(0, more), text, short_run);
    REQUIRE(at_0.losses.size() == short_run.steps);
    CHECK(at_0.losses.back() < at_0.losses.front());
    for (const int stage : {1, 2, 3}) {
        INFO("stage " << stage);
        check_same_bits(at_0, train(config(stage, more), text, short_run));
    }
}

TEST_CASE("train: threads per rank do not change a bit") {
    TrainOptions with_threads = short_run;
    with_threads.threads_per_rank = 3;
    check_same_bits(train(config(2), text, short_run), train(config(2), text, with_threads));
}

TEST_CASE("train: the loss falls below what bytes cost by their frequency") {
    TrainOptions longer = short_run;
    longer.steps = 100;
    CHECK(train(config(3), text, longer).losses.back() < text.unigram_entropy());
}

TEST_CASE("train: fp16 skips steps until its loss scale is low enough, then learns") {
    const Run run =
        train(config(2, R"(, "fp16": {"enabled": true, "initial_scale_power": 24, "hysteresis": 1})"), text,
              short_run);
    CHECK(run.skipped > 0);
    CHECK(run.skipped < short_run.steps);
    CHECK(run.losses.back() < run.losses[0]);
}

TEST_CASE("train: a higher stage holds less") {
    TrainOptions deep = short_run;
    deep.ranks = 4;
    deep.steps = 1;
    deep.shape.layers = 8;
    std::vector<std::size_t> held;
    for (const int stage : {0, 1, 2, 3}) {
        const Run run = train(config(stage, R"(, "bf16": {"enabled": true})"), text, deep);
        held.push_back(run.reports[0].memory.tiers[0].total.peak_bytes);
    }
    CHECK(held[1] < held[0]);
    CHECK(held[2] < held[1]);
    CHECK(held[3] < held[2]);
}

TEST_CASE("train: a budget that is too small is an error before training") {
    TrainOptions tight = short_run;
    tight.budgets.device = 50000;
    CHECK_THROWS_WITH(train(config(0), text, tight), Catch::Matchers::Contains("budget of 50000 bytes"));
}

TEST_CASE(
    "train: with its optimizer state on NVMe, a rank trains with less host memory than that state has") {
    const std::string nvme = R"("stage": 2, "offload_optimizer": {"device": "nvme", "nvme_path": "/tmp"})";
    const auto offloaded = dszero::parse(R"({"train_micro_batch_size_per_gpu": 2,
        "optimizer": {"type": "AdamW", "params": {"lr": 0.01, "weight_decay": 0.1}},
        "zero_optimization": {"reduce_bucket_size": 4000, )" +
                                         nvme + "}}")
                               .value();
    TrainOptions options = short_run;
    options.shape = {.layers = 4, .heads = 2, .width = 32, .context = 16};
    options.tile_elements = 1024;
    options.budgets.host = 200 << 10;  // beside 240 KiB of moments on NVMe
    const Run run = train(offloaded, text, options);
    CHECK(run.reports[0].memory.tiers[2].total.peak_bytes > *options.budgets.host);
    options.budgets = {};
    check_same_bits(run, train(config(2), text, options));
}
