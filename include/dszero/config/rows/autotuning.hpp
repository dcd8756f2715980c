// SPDX-License-Identifier: MIT
//
// Rows of sections/autotuning.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/autotuning.hpp>

#include <array>
#include <optional>
#include <string>

namespace dszero {

template <>
struct schema<AutotuningModelInfo> {
    using C = AutotuningModelInfo;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::profile, {.name = "profile", .doc = "Profiles the model first."}),
        field(&C::num_params, {.name = "num_params", .doc = "The model's parameters."}),
        field(&C::hidden_size, {.name = "hidden_size", .doc = "Width of its layers."}),
        field(&C::num_layers, {.name = "num_layers", .doc = "How many layers it has."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

/// null counts as absent.
inline bool read_model_info(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    auto& info = *static_cast<std::optional<AutotuningModelInfo>*>(member);
    info.reset();
    if (value.json->is_null()) return true;
    if (!value.json->is_object()) return refuse_shape("autotuning", row.type->expected, value, r, path);
    return read_plain_section(&info.emplace(), value, row, r, path);
}
template <>
inline constexpr MemberType member_type<std::optional<AutotuningModelInfo>> =
    optional_section<AutotuningModelInfo>("an object or null", read_model_info);

/// A folder's name, which Python must find true, from 0.7.5 on.
inline bool read_folder(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!is_truthy(*value.json) && r.behaviour.release >= Release("0.7.5")) {
        r.check = "autotuning_dir_empty";
        r.error("empty", path, r.value_span(value),
                std::string(row.name) + " must not be empty, got " + r.shown(value));
        return false;
    }
    return read_plain<std::string>(member, value, row, r, path);
}
inline constexpr MemberType folder_type = {"a folder's name", "string", read_folder,
                                           write_plain<std::string>};

template <>
struct schema<DeepSpeedAutotuningConfig> {
    using C = DeepSpeedAutotuningConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Searches before it trains."}),
        field(&C::fast, {.name = "fast", .doc = "Tries ZeRO stages and micro batch sizes only."}),
        field(&C::results_dir,
              {.name = "results_dir", .doc = "Folder of the results.", .type = &folder_type}),
        field(&C::exps_dir, {.name = "exps_dir", .doc = "Folder of the experiments.", .type = &folder_type}),
        field(&C::overwrite, {.name = "overwrite", .doc = "Runs experiments again that have results."}),
        field(&C::start_profile_step,
              {.name = "start_profile_step", .doc = "The first step that is measured."}),
        field(&C::end_profile_step, {.name = "end_profile_step", .doc = "The last step that is measured."}),
        field(&C::metric, {.name = "metric", .doc = "What is to be best: throughput, latency or flops."}),
        field(&C::metric_path, {.name = "metric_path", .doc = "A file with the metric."}),
        field(&C::tuner_type,
              {.name = "tuner_type", .doc = "How it searches: gridsearch, random or model_based."}),
        field(&C::tuner_early_stopping,
              {.name = "tuner_early_stopping", .doc = "Experiments without progress after which it ends."}),
        field(&C::tuner_num_trials, {.name = "tuner_num_trials", .doc = "The most experiments."}),
        field(&C::arg_mappings, {.name = "arg_mappings",
                                 .doc = "Which arguments of the script stand for which keys.",
                                 .type = &anything}),
        field(&C::model_info, {.name = "model_info", .doc = "What is known of the model."}),
        field(&C::model_info_path,
              {.name = "model_info_path", .doc = "A file with what is known of the model."}),
        field(&C::mp_size, {.name = "mp_size", .doc = "Degree of model parallelism."}),
        field(&C::max_train_batch_size,
              {.name = "max_train_batch_size", .doc = "The largest train_batch_size."}),
        field(&C::min_train_batch_size,
              {.name = "min_train_batch_size", .doc = "The smallest train_batch_size."}),
        field(&C::max_train_micro_batch_size_per_gpu,
              {.name = "max_train_micro_batch_size_per_gpu", .doc = "The largest micro batch."}),
        field(&C::min_train_micro_batch_size_per_gpu,
              {.name = "min_train_micro_batch_size_per_gpu", .doc = "The smallest micro batch."}),
        field(&C::num_tuning_micro_batch_sizes,
              {.name = "num_tuning_micro_batch_sizes", .doc = "How many micro batch sizes it tries."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<DeepSpeedAutotuningConfig> = plain_section<DeepSpeedAutotuningConfig>;

}  // namespace dszero
