// SPDX-License-Identifier: MIT
//
// The sections that the engine needs, under the names that DeepSpeedConfig will have
// for them. Once they are wired into config/document.hpp this becomes an alias.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/optimizer.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/scheduler.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero.hpp>

#include <stdexcept>
#include <string>
#include <string_view>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

struct EngineConfig : BatchConfig, GradientConfig {
    DeepSpeedZeroConfig zero_config;
    DeepSpeedFP16Config float16_config;
    DeepSpeedBF16Config bfloat16_config;
    DataTypesConfig data_types;
    OptimizerConfig optimizer;
    SchedulerConfig scheduler;
};

/// Reads one section by its rows.
template <class T>
void read_into(T& object, const Json& json) {
    const Source no_text;
    Reading reading(newest_release, no_text, nullptr);
    Row row;
    row.type = &member_type<Json>;
    read_section(section<T>, &object, Value{&json, 0}, row, reading,
                 Path{.parent = nullptr, .key = schema<T>::name});
    for (const Diagnostic& d : reading.diagnostics)
        if (d.severity == Severity::error) throw std::invalid_argument(d.pointer + ": " + d.message);
}

/// Of the document's top level, what belongs to T.
template <class T>
void read_members_into(T& object, const Json& document) {
    Json members = json_object();
    for (const Row& row : section<T>.rows)
        if (const auto at = document.find(std::string(row.key())); at != document.end())
            members[std::string(row.key())] = *at;
    read_into(object, members);
}

inline EngineConfig engine_config(const Json& document) {
    EngineConfig config;
    read_members_into<BatchConfig>(config, document);
    read_members_into<GradientConfig>(config, document);
    const auto read = [&](const char* key, auto& object) {
        if (const auto at = document.find(key); at != document.end()) read_into(object, *at);
    };
    read("zero_optimization", config.zero_config);
    read("fp16", config.float16_config);
    read(document.contains("bf16") ? "bf16" : "bfloat16", config.bfloat16_config);
    read("data_types", config.data_types);
    read("optimizer", config.optimizer);
    read("scheduler", config.scheduler);
    return config;
}

}  // namespace test
