// SPDX-License-Identifier: MIT
//
// Rows of sections/data_efficiency.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/data_efficiency.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

inline bool is_on(const Members& members) {
    const Member* enabled = find_member(members, "enabled");
    return enabled && is_truthy(*enabled->value.json);
}
/// Reports a key that is missing although the section is enabled. Always false.
inline bool refuse_missing(std::string_view check, std::string_view key, const Members& members, Reading& r,
                           const Path& path) {
    r.check = check;
    r.error("missing-key", path, r.key_span(find_member(members, "enabled")->value),
            std::string(path.key) + " is enabled without " + std::string(key), "give " + std::string(key));
    return false;
}

inline bool read_curriculum_learning(void* member, const Value& value, const Row& row, Reading& r,
                                     const Path& path) {
    if (!read_plain_section(member, value, row, r, path)) return false;
    const Members members = r.members_of(value);
    return !is_on(members) || find_member(members, "curriculum_metrics") ||
           refuse_missing("curriculum_metrics_missing", "curriculum_metrics", members, r, path);
}

/// Python's int() takes it.
inline bool is_made_an_integer(const Value& value, Reading& r, const Path& path) {
    return to_integer(*value.json, r.spelling(value), Behaviour("0.14.5")) ||
           refuse_shape(outermost_key(path), "an integer", value, r, path);
}
template <class T>
bool read_made_an_integer(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    return is_made_an_integer(value, r, path) && read_plain<T>(member, value, row, r, path);
}
template <class T>
inline constexpr MemberType made_an_integer = {member_type<T>.expected, member_type<T>.format,
                                               read_made_an_integer<T>, write_plain<T>};

inline bool read_dynamic_batching(void* member, const Value& value, const Row& row, Reading& r,
                                  const Path& path) {
    if (!read_plain_section(member, value, row, r, path)) return false;
    const Members members = r.members_of(value);
    if (!is_on(members)) return true;
    const Member* tokens = find_member(members, "max_tokens");
    return tokens ? is_made_an_integer(tokens->value, r, Path{.parent = &path, .key = tokens->key})
                  : refuse_missing("dynamic_batching_tokens_missing", "max_tokens", members, r, path);
}

template <>
struct schema<CurriculumLearningConfig> {
    using C = CurriculumLearningConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Trains on easy samples first."}),
        field(&C::data_cluster_path,
              {.name = "data_cluster_path", .doc = "Folder for indices of samples of equal difficulty."}),
        field(&C::curriculum_metrics,
              {.name = "curriculum_metrics",
               .doc = "What makes a sample difficult: for each metric, where its index is and its schedule.",
               .type = &plain_anything<Json::object_t>}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<DynamicBatchingConfig> {
    using C = DynamicBatchingConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled,
              {.name = "enabled", .doc = "Puts samples together by their tokens, not their number."}),
        field(&C::lr_scaling_method, {.name = "lr_scaling_method",
                                      .doc = "How the rate follows the batch size: linear, sqrt or none."}),
        field(&C::min_batch_size, {.name = "min_batch_size",
                                   .doc = "The smallest batch that is used.",
                                   .type = &made_an_integer<std::int64_t>}),
        field(&C::max_batch_size, {.name = "max_batch_size",
                                   .doc = "The largest batch that is used.",
                                   .type = &made_an_integer<std::optional<std::int64_t>>}),
        field(&C::sequence_picking_order, {.name = "sequence_picking_order",
                                           .doc = "Which samples first: dataloader, random or seqlen."}),
        field(&C::max_tokens, {.name = "max_tokens", .doc = "Tokens of a batch, at most."}),
        field(&C::verbose, {.name = "verbose", .doc = "Logs how batches are put together."}),
        field(&C::metrics_path, {.name = "metrics_path", .doc = "Where the samples' lengths are."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
inline constexpr MemberType member_type<CurriculumLearningConfig> =
    plain_section_read_by<CurriculumLearningConfig>(read_curriculum_learning);
template <>
inline constexpr MemberType member_type<DynamicBatchingConfig> =
    plain_section_read_by<DynamicBatchingConfig>(read_dynamic_batching);

template <>
struct schema<DataSamplingConfig> {
    using C = DataSamplingConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Has no effect; curriculum_learning.enabled has."}),
        field(&C::num_epochs, {.name = "num_epochs", .doc = "Times that the data is gone through."}),
        field(&C::num_workers, {.name = "num_workers", .doc = "Processes that load data."}),
        field(&C::pin_memory, {.name = "pin_memory", .doc = "Loads into locked memory.", .since = "0.16.5"}),
        field(&C::curriculum_learning, {.name = "curriculum_learning", .doc = "Easy samples first."}),
        field(&C::dynamic_batching,
              {.name = "dynamic_batching", .doc = "Batches of as many tokens.", .since = "0.16.5"}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<RandomLTDStepsConfig> {
    using C = RandomLTDStepsConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::require_steps, {.name = "require_steps", .doc = "Steps until no token is left out."}),
        field(&C::seq_per_step, {.name = "seq_per_step", .doc = "Tokens by which the length grows at once."}),
    };
    static constexpr std::array<Check, 0> checks{};
};
template <>
inline constexpr MemberType member_type<RandomLTDStepsConfig> =
    plain_section_read_by<RandomLTDStepsConfig>(read_unopened_section);

template <>
struct schema<RandomLTDScheduleConfig> {
    using C = RandomLTDScheduleConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::min_value, {.name = "min_value", .doc = "Tokens that a layer keeps at first."}),
        field(&C::max_value, {.name = "max_value", .doc = "Tokens that it keeps in the end."}),
        field(&C::schedule_type, {.name = "schedule_type", .doc = "How they grow: fixed_linear."}),
        field(&C::schedule_config, {.name = "schedule_config", .doc = "How fast they grow."}),
    };
    static constexpr std::array<Check, 0> checks{};
};
template <>
inline constexpr MemberType member_type<RandomLTDScheduleConfig> =
    plain_section_read_by<RandomLTDScheduleConfig>(read_unopened_section);

template <>
struct schema<RandomLTDConfig> {
    using C = RandomLTDConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Layers leave tokens out."}),
        field(&C::total_layer_num, {.name = "total_layer_num", .doc = "Layers of the model."}),
        field(&C::random_ltd_layer_num,
              {.name = "random_ltd_layer_num", .doc = "Layers that leave tokens out."}),
        field(&C::random_ltd_layer_id, {.name = "random_ltd_layer_id",
                                        .doc = "Which layers those are.",
                                        .type = &plain_anything<Json::array_t>}),
        field(&C::model_mask_name,
              {.name = "model_mask_name", .doc = "The argument of a layer that is the attention mask."}),
        field(&C::model_type, {.name = "model_type", .doc = "encoder or decoder."}),
        field(&C::hidden_state_order,
              {.name = "hidden_state_order", .doc = "batch_seq_dim or seq_batch_dim."}),
        field(&C::random_ltd_schedule,
              {.name = "random_ltd_schedule", .doc = "How many tokens a layer keeps, and when."}),
        field(&C::layer_token_lr_schedule, {.name = "layer_token_lr_schedule",
                                            .doc = "A rate that follows the tokens; where enabled, it stops "
                                                   "with a NotImplementedError.",
                                            .type = &plain_anything<Json::object_t>}),
    };
    static constexpr std::array<Check, 0> checks{};
};
template <>
inline constexpr MemberType member_type<RandomLTDConfig> = plain_section<RandomLTDConfig>;

template <>
struct schema<DataRoutingConfig> {
    using C = DataRoutingConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Has no effect; random_ltd.enabled has."}),
        field(&C::random_ltd, {.name = "random_ltd", .doc = "Random layerwise token dropping."}),
    };
    static constexpr std::array<Check, 0> checks{};
};
template <>
inline constexpr MemberType member_type<DataSamplingConfig> = plain_section<DataSamplingConfig>;
template <>
inline constexpr MemberType member_type<DataRoutingConfig> = plain_section<DataRoutingConfig>;

template <>
struct schema<DataEfficiencyConfig> {
    using C = DataEfficiencyConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Has no effect; what is enabled inside has."}),
        field(&C::seed, {.name = "seed", .doc = "Of the samplers."}),
        field(&C::data_sampling,
              {.name = "data_sampling", .doc = "Which samples are trained on, and in which order."}),
        field(&C::data_routing, {.name = "data_routing", .doc = "Which tokens go through which layers."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<DataEfficiencyConfig> = plain_section<DataEfficiencyConfig>;

}  // namespace dszero
