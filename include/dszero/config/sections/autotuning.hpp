// SPDX-License-Identifier: MIT
//
// The section autotuning: DeepSpeed's search for a good configuration.
// Source: deepspeed/autotuning/config.py and constants.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct AutotuningModelInfo {
    Plain<bool> profile;
    Plain<std::optional<std::int64_t>> num_params;
    Plain<std::optional<std::int64_t>> hidden_size;
    Plain<std::optional<std::int64_t>> num_layers;

    bool operator==(const AutotuningModelInfo&) const = default;
};
template <>
inline constexpr std::string_view section_name<AutotuningModelInfo> = "autotuning.model_info";

struct DeepSpeedAutotuningConfig {
    Plain<bool> enabled;
    Plain<bool> fast = true;
    Plain<std::string> results_dir = "autotuning_results";
    Plain<std::string> exps_dir = "autotuning_exps";
    Plain<bool> overwrite = true;
    Plain<std::int64_t> start_profile_step = 3;
    Plain<std::int64_t> end_profile_step = 5;
    Plain<std::string> metric = "throughput";
    Plain<std::optional<std::string>> metric_path;
    Plain<std::string> tuner_type = "gridsearch";
    Plain<std::int64_t> tuner_early_stopping = 5;
    Plain<std::int64_t> tuner_num_trials = 50;
    Json arg_mappings;
    std::optional<AutotuningModelInfo> model_info;
    Plain<std::optional<std::string>> model_info_path;
    Plain<std::int64_t> mp_size = 1;
    Plain<std::optional<std::int64_t>> max_train_batch_size;
    Plain<std::int64_t> min_train_batch_size = 1;
    Plain<std::int64_t> max_train_micro_batch_size_per_gpu = 1024;
    Plain<std::int64_t> min_train_micro_batch_size_per_gpu = 1;
    Plain<std::int64_t> num_tuning_micro_batch_sizes = 3;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedAutotuningConfig> = "DeepSpeedAutotuningConfig";

inline bool operator==(const DeepSpeedAutotuningConfig& a, const DeepSpeedAutotuningConfig& b) {
    return equal_sections(section_of<DeepSpeedAutotuningConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/autotuning.hpp>
#endif
