// SPDX-License-Identifier: MIT
//
// Where training is logged: tensorboard, wandb, csv_monitor and comet, which DeepSpeed reads as
// one, and comms_logger.
// Source: deepspeed/monitor/config.py, deepspeed/comm/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct TensorBoardConfig {
    bool enabled = false;
    std::string output_path;
    std::string job_name = "DeepSpeedJobName";

    bool operator==(const TensorBoardConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<TensorBoardConfig> = "TensorBoardConfig";

struct WandbConfig {
    bool enabled = false;
    std::optional<std::string> group;
    std::optional<std::string> team;
    std::string project = "deepspeed";

    bool operator==(const WandbConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<WandbConfig> = "WandbConfig";

struct CSVConfig {
    bool enabled = false;
    std::string output_path;
    std::string job_name = "DeepSpeedJobName";

    bool operator==(const CSVConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<CSVConfig> = "CSVConfig";

struct CometConfig {
    bool enabled = false;
    std::int64_t samples_log_interval = 100;
    std::optional<std::string> project;
    std::optional<std::string> workspace;
    std::optional<std::string> api_key;
    std::optional<std::string> experiment_name;
    std::optional<std::string> experiment_key;
    std::optional<bool> online;
    std::optional<std::string> mode;

    bool operator==(const CometConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<CometConfig> = "CometConfig";

struct CommsLoggerConfig {
    bool enabled = false;
    bool prof_all = true;
    Json prof_ops = json_array();
    bool verbose = false;
    bool debug = false;
};
template <>
inline constexpr std::string_view section_name<CommsLoggerConfig> = "CommsLoggerConfig";

inline bool operator==(const CommsLoggerConfig& a, const CommsLoggerConfig& b) {
    return equal_sections(section_of<CommsLoggerConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/monitor.hpp>
#endif
