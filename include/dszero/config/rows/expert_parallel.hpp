// SPDX-License-Identifier: MIT
//
// Rows of sections/expert_parallel.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/sections/expert_parallel.hpp>

#include <array>
#include <optional>

namespace dszero {

/// null, or DeepSpeed refuses it.
inline bool read_no_coefficient(void*, const Value& value, const Row&, Reading& r, const Path& path) {
    if (value.json->is_null()) return true;
    r.check = "expert_parallel_load_balance_coeff";
    r.error("wrong-value", path, r.value_span(value),
            "load_balance_coeff must be null, got " + r.shown(value), "remove it");
    return false;
}
inline constexpr MemberType no_load_balance_coeff = {"null", "none", read_no_coefficient, write_object};

template <>
struct schema<AutoEPConfig> {
    using C = AutoEPConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Replaces the model's mixture-of-experts layers."}),
        field(&C::autoep_size, {.name = "autoep_size", .doc = "Ranks that share the experts of a layer."}),
        field(&C::expert_tensor_parallel_size, {.name = "expert_tensor_parallel_size",
                                                .doc = "Ranks that share one expert.",
                                                .since = "0.19.3"}),
        field(&C::validate_folding_routing, {.name = "validate_folding_routing",
                                             .doc = "Checks on every rank that routing agrees.",
                                             .since = "0.19.3"}),
        field(&C::async_split_plan,
              {.name = "async_split_plan", .doc = "Plans the exchange of tokens ahead.", .since = "0.19.8"}),
        field(&C::preset_model, {.name = "preset_model", .doc = "The model family whose layers are known."}),
        field(&C::moe_layer_pattern,
              {.name = "moe_layer_pattern", .doc = "Pattern of the names of such layers."}),
        field(&C::expert_pattern,
              {.name = "expert_pattern", .doc = "The attribute that holds a layer's experts."}),
        field(&C::router_pattern, {.name = "router_pattern", .doc = "The attribute that holds its router."}),
        field(&C::use_grouped_mm,
              {.name = "use_grouped_mm", .doc = "Multiplies all experts of a rank at once."}),
        field(&C::disable_triton_grouped_mm, {.name = "disable_triton_grouped_mm",
                                              .doc = "Leaves Triton's kernels for that alone.",
                                              .since = "0.19.4"}),
        field(&C::route_norm, {.name = "route_norm", .doc = "Normalizes the scores of the chosen experts."}),
        field(&C::route_scale, {.name = "route_scale", .doc = "Scales those scores."}),
        field(&C::score_apply,
              {.name = "score_apply", .doc = "Where scores are applied: auto, pre or post."}),
        field(&C::combine_impl, {.name = "combine_impl", .doc = "How the experts' results are summed up."}),
        field(&C::row_weighting_impl, {.name = "row_weighting_impl",
                                       .doc = "How rows are weighted: auto, eager or fused.",
                                       .since = "0.19.8"}),
        field(
            &C::gate_up_impl,
            {.name = "gate_up_impl", .doc = "Gate and up projection: separate or fused.", .since = "0.19.8"}),
        field(&C::comm_backend,
              {.name = "comm_backend", .doc = "What exchanges tokens: comm or deepep.", .since = "0.19.7"}),
        field(
            &C::comm_num_sm,
            {.name = "comm_num_sm", .doc = "Multiprocessors that the exchange may use.", .since = "0.19.7"}),
        field(&C::comm_qp_margin,
              {.name = "comm_qp_margin", .doc = "Spare queue pairs of the exchange.", .since = "0.19.7"}),
        field(&C::comm_max_tokens_per_rank, {.name = "comm_max_tokens_per_rank",
                                             .doc = "The most tokens that one rank routes.",
                                             .since = "0.19.7"}),
        field(&C::num_expert_groups, {.name = "num_expert_groups", .doc = "Groups that experts form."}),
        field(&C::num_limited_groups,
              {.name = "num_limited_groups", .doc = "Groups that a token may choose from."}),
        field(&C::score_func,
              {.name = "score_func", .doc = "How scores are made: auto, softmax or sigmoid."}),
        field(&C::top_k, {.name = "top_k", .doc = "Experts for each token.", .type = &anything}),
        field(&C::load_balance_coeff, {.name = "load_balance_coeff",
                                       .doc = "Must be null: balancing belongs to the model.",
                                       .type = &no_load_balance_coeff}),
        field(&C::routed_scaling_factor,
              {.name = "routed_scaling_factor", .doc = "Scales what the experts give.", .type = &anything}),
        field(&C::expert_w1, {.name = "expert_w1", .doc = "The attribute of an expert's first weight."}),
        field(&C::expert_w2, {.name = "expert_w2", .doc = "That of its second."}),
        field(&C::expert_w3,
              {.name = "expert_w3", .doc = "That of its third; null: it is part of the first."}),
        field(&C::num_experts_attr,
              {.name = "num_experts_attr", .doc = "The model's setting for the number of experts."}),
        field(&C::top_k_attr, {.name = "top_k_attr", .doc = "That for the experts of each token."}),
        field(&C::has_shared_experts,
              {.name = "has_shared_experts", .doc = "Whether every token also goes to shared experts."}),
        field(&C::shared_experts_pattern,
              {.name = "shared_experts_pattern", .doc = "The attribute that holds those."}),
        field(&C::shared_experts_gate_pattern,
              {.name = "shared_experts_gate_pattern", .doc = "The attribute that holds their gate."}),
        field(&C::expert_activation, {.name = "expert_activation",
                                      .doc = "An expert's activation; empty: the model family's.",
                                      .since = "0.19.8"}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

/// What Python finds false counts as empty, whatever it is.
inline bool read_expert_parallel(void* member, const Value& value, const Row& row, Reading& r,
                                 const Path& path) {
    auto& config = *static_cast<std::optional<AutoEPConfig>*>(member);
    config.reset();
    return !is_truthy(*value.json) || read_plain_section(&config.emplace(), value, row, r, path);
}
template <>
inline constexpr MemberType member_type<std::optional<AutoEPConfig>> =
    optional_section<AutoEPConfig>("an object or null", read_expert_parallel);

}  // namespace dszero
