// SPDX-License-Identifier: MIT
//
// The section data_efficiency: curriculum learning, dynamic batching, random layerwise token dropping.
// Source: deepspeed/runtime/data_pipeline/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct CurriculumLearningConfig {
    Plain<bool> enabled;
    Plain<std::optional<std::string>> data_cluster_path;
    Plain<Json::object_t> curriculum_metrics;  ///< a section for each metric, under a name of one's own
};
template <>
inline constexpr std::string_view section_name<CurriculumLearningConfig> = "curriculum_learning";

struct DynamicBatchingConfig {
    Plain<bool> enabled;
    Plain<std::string> lr_scaling_method = "linear";
    Plain<std::int64_t> min_batch_size = 1;
    Plain<std::optional<std::int64_t>> max_batch_size;
    Plain<std::string> sequence_picking_order = "dataloader";
    Plain<std::optional<std::int64_t>> max_tokens;  ///< must be given where it is enabled
    Plain<bool> verbose;
    Plain<std::optional<std::string>> metrics_path;
};
template <>
inline constexpr std::string_view section_name<DynamicBatchingConfig> = "dynamic_batching";

struct DataSamplingConfig {
    Plain<bool> enabled;
    Plain<std::int64_t> num_epochs = 1000;
    Plain<std::int64_t> num_workers = 0;
    Plain<bool> pin_memory;
    CurriculumLearningConfig curriculum_learning;
    DynamicBatchingConfig dynamic_batching;
};
template <>
inline constexpr std::string_view section_name<DataSamplingConfig> = "data_sampling";

struct RandomLTDStepsConfig {
    Plain<std::optional<std::int64_t>> require_steps, seq_per_step;
};
template <>
inline constexpr std::string_view section_name<RandomLTDStepsConfig> = "schedule_config";

struct RandomLTDScheduleConfig {
    Plain<std::optional<std::int64_t>> min_value, max_value;
    Plain<std::optional<std::string>> schedule_type;
    RandomLTDStepsConfig schedule_config;
};
template <>
inline constexpr std::string_view section_name<RandomLTDScheduleConfig> = "random_ltd_schedule";

struct RandomLTDConfig {
    Plain<bool> enabled;
    Plain<std::optional<std::int64_t>> total_layer_num, random_ltd_layer_num;
    Plain<Json::array_t> random_ltd_layer_id;
    Plain<std::optional<std::string>> model_mask_name, model_type, hidden_state_order;
    RandomLTDScheduleConfig random_ltd_schedule;
    Plain<Json::object_t> layer_token_lr_schedule;
};
template <>
inline constexpr std::string_view section_name<RandomLTDConfig> = "random_ltd";

struct DataRoutingConfig {
    Plain<bool> enabled;
    RandomLTDConfig random_ltd;
};
template <>
inline constexpr std::string_view section_name<DataRoutingConfig> = "data_routing";

struct DataEfficiencyConfig {
    Plain<bool> enabled;
    Plain<std::int64_t> seed = 1234;
    DataSamplingConfig data_sampling;
    DataRoutingConfig data_routing;
};
template <>
inline constexpr std::string_view section_name<DataEfficiencyConfig> = "data_efficiency";

inline bool operator==(const DataEfficiencyConfig& a, const DataEfficiencyConfig& b) {
    return equal_sections(section_of<DataEfficiencyConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/data_efficiency.hpp>
#endif
