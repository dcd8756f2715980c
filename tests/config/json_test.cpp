// SPDX-License-Identifier: MIT
#include <dszero/config/document.hpp>
#include <dszero/config/json.hpp>
#include <dszero/config/sections/compile.hpp>

#include "support/catch.hpp"
#include "support/jsonl.hpp"
#include "support/paths.hpp"

#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

using namespace dszero;
using nlohmann::json;

TEST_CASE("from_json: a section without text, from either kind of nlohmann value") {
    const auto sorted =
        json::parse(R"({"stage": "3", "offload_param": {"device": "cpu", "pin_memory": "no"}})");
    const auto config = sorted.get<DeepSpeedZeroConfig>();
    CHECK(config.stage == ZeroStageEnum::weights);
    CHECK(config.offload_param->device == OffloadDeviceEnum::cpu);
    CHECK_FALSE(config.offload_param->pin_memory);
    CHECK(nlohmann::ordered_json(sorted).get<DeepSpeedZeroConfig>() == config);
    CHECK(sorted["offload_param"].get<DeepSpeedZeroOffloadParamConfig>() == *config.offload_param);
    CHECK(sorted["offload_param"]["device"].get<OffloadDeviceEnum>() == OffloadDeviceEnum::cpu);
}

TEST_CASE("from_json: throws every problem with its pointer") {
    try {
        json::parse(R"({"stage": 7, "bogus": 1})").get<DeepSpeedZeroConfig>();
        FAIL("accepted");
    } catch (const ConfigError& error) {
        REQUIRE(error.diagnostics().size() == 2);
        for (const Diagnostic& d : error.diagnostics()) CHECK(d.range.begin.line == 0);
        CHECK_THAT(error.what(),
                   Catch::Matchers::Contains("/stage: error: stage must be 0, 1, 2 or 3, got 7"));
    }
    CHECK_THROWS_AS(json(7).get<DeepSpeedZeroConfig>(), ConfigError);
    CHECK_THROWS_AS(json(nullptr).get<DeepSpeedZeroConfig>(), ConfigError);
    CHECK_THROWS_AS(json("gpu").get<OffloadDeviceEnum>(), ConfigError);
}

TEST_CASE("from_json: a float is a float, as in DeepSpeed") {
    const auto read = [](json section) { return section.get<DeepSpeedZeroConfig>(); };
    CHECK(read({{"reduce_bucket_size", 5e8}}).reduce_bucket_size == 500'000'000);
    CHECK(read({{"stage", 3.0}}).stage == ZeroStageEnum::weights);
    CHECK(read({{"stage", -0.0}}).stage == ZeroStageEnum::disabled);
    // DeepSpeed 0.19.8 refuses all of these
    for (const double number : {3.5, 1e300, 0x1p63, HUGE_VAL, -HUGE_VAL, std::nan("")})
        CHECK_THROWS_AS(read({{"reduce_bucket_size", number}}), ConfigError);
}

TEST_CASE("get_zero_config: without text what it is with text") {
    std::size_t compared = 0;
    test::for_each_record(test::data() / "zero.jsonl.gz", [&](const test::Recorded& line) {
        if (!line["text"]) return;
        const std::string text = line["text"].text();
        const auto value = nlohmann::ordered_json::parse(text, nullptr, false);
        if (value.is_discarded() || !value.is_object()) return;
        if (text.starts_with("\xEF\xBB\xBF") || text.find(char()) != text.npos)
            return;  // nlohmann passes over them
        const Document document = parse(text, {.scope = Scope::zero_section});
        for (const Diagnostic& d : document.diagnostics)  // what nlohmann's values do not hold
            if (d.code == "saturated" || d.code == "duplicate-key" || d.code == "too-large") return;
        ++compared;
        bool accepted = true, same = true;
        try {
            const DeepSpeedZeroConfig config = get_zero_config(value);
            same = !document.accepted() || config == document.value().zero_config;
        } catch (const ConfigError&) {
            accepted = false;
        }
        if (accepted == document.accepted() && same) return;
        INFO(text);
        CHECK(accepted == document.accepted());
        CHECK(same);
    });
    CHECK(compared > 4000);
}

TEST_CASE("from_json: a value that is nested without end is refused") {
    json list = 1;
    nlohmann::ordered_json object = 1;
    for (int i = 0; i < 100'000; ++i) {
        json outer = json::array();
        outer.push_back(std::move(list));
        list = std::move(outer);
        nlohmann::ordered_json holder = nlohmann::ordered_json::object();
        holder["offload_param"] = std::move(object);
        object = std::move(holder);
    }
    json section{{"stage", 1}};
    section["leaf_module"] = std::move(list);
    CHECK_THROWS_AS(section.get<DeepSpeedZeroConfig>(), ConfigError);
    CHECK_THROWS_AS(object.get<DeepSpeedZeroConfig>(), ConfigError);
    CHECK_THROWS_AS(get_zero_config(object), ConfigError);
}

TEST_CASE("get_zero_config: as in DeepSpeed, the whole document") {
    CHECK(get_zero_config(json::parse(R"({"zero_optimization": {"stage": 2}})")).stage ==
          ZeroStageEnum::gradients);
    CHECK(get_zero_config(json::parse("{}")).stage == ZeroStageEnum::disabled);
    const auto boolean = get_zero_config(json::parse(R"({"zero_optimization": true, "allgather_size": 7})"));
    CHECK(boolean.stage == ZeroStageEnum::optimizer_states);
    CHECK(boolean.allgather_bucket_size == 7);
    CHECK_THROWS_AS(get_zero_config(json::parse(R"({"zero_optimization": null})")), ConfigError);
    CHECK_THROWS_AS(get_zero_config(json::parse("[]")), ConfigError);
    CHECK_FALSE(get_zero_config(json::parse(R"({"zero_optimization": {"offload_param": {}}})"), "0.18.9")
                    .offload_param->pin_memory);
}

TEST_CASE("read_zero_config_deprecated: the section that a boolean stands for") {
    CHECK(read_zero_config_deprecated(json::parse(R"({"zero_optimization": true})")) ==
          json::parse(R"({"stage": 1, "allgather_bucket_size": 5e8})"));
    CHECK(read_zero_config_deprecated(json::parse(R"({"zero_optimization": true, "allgather_size": 9})")) ==
          json::parse(R"({"stage": 1, "allgather_bucket_size": 9})"));
    CHECK(read_zero_config_deprecated(json::parse(R"({"zero_optimization": false, "allgather_size": 9})")) ==
          json::parse(R"({"stage": 0})"));
}

TEST_CASE("get_scalar_param: the member, or what to take without it") {
    const json document = json::parse(R"({"a": 1, "b": null})");
    CHECK(get_scalar_param(document, "a", json(5)) == 1);
    CHECK(get_scalar_param(document, "b", json(5)) == nullptr);
    CHECK(get_scalar_param(document, "c", json(5)) == 5);
}

TEST_CASE("to_json: what was read is written so that it reads back to an equal value") {
    std::size_t round_trips = 0;
    test::for_each_record(test::data() / "zero.jsonl.gz", [&](const test::Recorded& line) {
        if (!line["text"]) return;
        LoadOptions options;
        options.scope = Scope::zero_section;
        const Document document = parse(line["text"].text(), options);
        if (!document.accepted()) return;
        const DeepSpeedZeroConfig& config = document.value().zero_config;
        const nlohmann::ordered_json written = config;
        ++round_trips;
        if (written.get<DeepSpeedZeroConfig>() == config) return;
        INFO(line["text"].text());
        CHECK(written.get<DeepSpeedZeroConfig>() == config);
    });
    CHECK(round_trips > 4000);
}

TEST_CASE("to_json: documented keys, and none that is deprecated or derived") {
    DeepSpeedZeroConfig config;
    config.offload_optimizer.emplace();
    const json written = config;
    CHECK(written.contains("stage3_max_live_parameters"));
    CHECK_FALSE(written.contains("cpu_offload"));
    CHECK_FALSE(written.contains("mics_shard_size"));
    CHECK_FALSE(written["offload_optimizer"].contains("pipeline"));
    CHECK(json(OffloadDeviceEnum::nvme) == "nvme");
}

TEST_CASE("json: a value nested deeper than Python goes is refused, and written all the same") {
    const auto nested = [](int levels) {
        nlohmann::ordered_json value = nlohmann::ordered_json::object();
        for (int i = 1; i < levels; ++i) value = {{"a", std::move(value)}};
        return value;
    };
    const auto code_of = [](const auto& section) {
        try {
            section.template get<DeepSpeedZeroConfig>();
        } catch (const ConfigError& error) {
            return error.diagnostics().at(0).code;
        }
        return std::string();
    };
    CHECK(code_of(nested(900)) == "unknown-key");
    CHECK(code_of(nested(1100)) == "too-deep");
    CHECK(code_of(json(nested(900))) == "unknown-key");
    CHECK(code_of(json(nested(1100))) == "too-deep");

    CompileConfig config;
    config.passes = nested(1100);
    const json written = config;
    CHECK(written.at("passes") == json(config.passes));
}
