// SPDX-License-Identifier: MIT
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/scheduler.hpp>

#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>

using namespace dszero;

namespace {

/// The first of the recorded numbers that is off by more than 1e-7 of itself; -1: none.
template <class F>
std::ptrdiff_t first_difference(const Json& recorded, F&& computed) {
    for (std::size_t i = 0; i < recorded.size(); ++i) {
        const double expected = recorded[i].get<double>();
        const double got = computed(static_cast<std::int64_t>(i));
        if (!(std::fabs(got - expected) <= 1e-7 * std::fabs(expected))) return static_cast<std::ptrdiff_t>(i);
    }
    return -1;
}

}  // namespace

TEST_CASE("schedules: every rate and beta that DeepSpeed 0.19.8 was seen to set") {
    std::size_t runs = 0, refused = 0, rates = 0;
    test::for_each_record(test::data() / "schedulers.jsonl.gz", [&](const test::Recorded& line) {
        ++runs;
        const SchedulerConfig config{line["type"].text(), *line["params"].value};
        INFO(line["type"].text() << " " << write_json(config.params));
        if (line["error"]) {
            ++refused;
            CHECK_THROWS_AS(typed_params(config), std::invalid_argument);
            return;
        }
        const Schedule schedule(typed_params(config).value());
        const double own = line["optimizer_lr"].value->get<double>();
        rates += line["lr"].value->size();
        CHECK(first_difference(*line["lr"].value, [&](std::int64_t i) { return schedule.rate(i, own); }) ==
              -1);
        CHECK(first_difference(*line["beta1"].value, [&](std::int64_t i) {
                  return schedule.betas(i).value_or(std::array{0.9, 0.999})[0];
              }) == -1);
    });
    CHECK(runs == 150);
    CHECK(refused == 21);
    CHECK(rates == 16569);
}

TEST_CASE("schedules: one that goes on leaves the optimizer's rate alone until its own first step") {
    const Schedule schedule(WarmupLRParams{
        .warmup_max_lr = 0.01, .warmup_num_steps = 4, .warmup_type = "linear", .last_batch_iteration = 1});
    CHECK(schedule.rate(0, 0.5) == 0.5);
    CHECK(schedule.rate(1, 0.5) == 0.005);
}

TEST_CASE("schedules: what a constructor would fail on is an error that names it") {
    const auto message = [](const char* type, const Json& params) -> std::string {
        try {
            typed_params(SchedulerConfig{type, params});
        } catch (const std::invalid_argument& e) {
            return e.what();
        }
        return "";
    };
    CHECK(message("WarmupDecayLR", json_object()) == "WarmupDecayLR: total_num_steps must be given");
    CHECK(message("OneCycle", Json{{"cycle_min_lr", 0.1}}) ==
          "OneCycle: cycle_min_lr and cycle_max_lr must both be given");
    CHECK(message("WarmupLR", Json{{"warmup_num_steps", 0}, {"warmup_max_lr", "auto"}}) ==
          "WarmupLR: warmup_max_lr is still \"auto\"; warmup_num_steps must be greater than 0, got 0");
}

TEST_CASE("schedules: what DeepSpeed logs about the parameters is a note") {
    CHECK(Schedule(WarmupLRParams{.warmup_type = "cubic"}).notes().size() == 1);
    CHECK(Schedule(WarmupDecayLRParams{.total_num_steps = 10}).notes().size() == 1);
    CHECK(Schedule(WarmupDecayLRParams{.total_num_steps = 1000}).notes().empty());
}

TEST_CASE("Adam: the betas of a step are used instead of its own") {
    const auto after_a_step = [](const Adam& adam, std::optional<std::array<double, 2>> betas) {
        std::array<float, 3> w{1, -2, 3}, m{0.1F, 0.2F, -0.3F}, v{0.01F, 0.2F, 0.03F};
        const std::array<float, 3> g{0.5F, -1, 2};
        adam.step(StepScalars{.lr = 0.1, .t = 3, .betas = betas}, StepSpans<float, float>{w, {m, v}, g, {}});
        return w;
    };
    const std::array cycled{0.85, 0.99};
    CHECK(after_a_step(Adam{}, cycled) == after_a_step(Adam{cycled[0], cycled[1]}, std::nullopt));
    CHECK(after_a_step(Adam{}, cycled) != after_a_step(Adam{}, std::nullopt));
}
