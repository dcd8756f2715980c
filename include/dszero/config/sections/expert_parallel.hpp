// SPDX-License-Identifier: MIT
//
// The section expert_parallel: AutoEP, experts split across ranks. DeepSpeed takes what is written; the
// engine looks at the values later. Source: parse_autoep_config in deepspeed/module_inject/auto_ep_config.py
// of 0.19.2 and later.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct AutoEPConfig {
    Plain<bool> enabled;
    Plain<std::int64_t> autoep_size = 1;
    Plain<std::int64_t> expert_tensor_parallel_size = 1;
    Plain<bool> validate_folding_routing;
    Plain<bool> async_split_plan;
    Plain<std::optional<std::string>> preset_model;
    Plain<std::optional<std::string>> moe_layer_pattern;
    Plain<std::optional<std::string>> expert_pattern;
    Plain<std::optional<std::string>> router_pattern;
    Plain<bool> use_grouped_mm = true;
    Plain<bool> disable_triton_grouped_mm;
    Plain<std::optional<bool>> route_norm;
    Plain<double> route_scale = 1.0;
    Plain<std::string> score_apply = "auto";
    Plain<std::string> combine_impl = "auto";
    Plain<std::string> row_weighting_impl = "auto";
    Plain<std::string> gate_up_impl = "separate";
    Plain<std::string> comm_backend = "comm";
    Plain<std::int64_t> comm_num_sm = 12;
    Plain<std::int64_t> comm_qp_margin = 4;
    Plain<std::int64_t> comm_max_tokens_per_rank = 0;
    Plain<std::optional<std::int64_t>> num_expert_groups;
    Plain<std::optional<std::int64_t>> num_limited_groups;
    Plain<std::string> score_func = "auto";
    Json top_k = json_string("auto");
    Json load_balance_coeff;
    Json routed_scaling_factor = json_string("auto");
    Plain<std::optional<std::string>> expert_w1;
    Plain<std::optional<std::string>> expert_w2;
    Plain<std::optional<std::string>> expert_w3;
    Plain<std::optional<std::string>> num_experts_attr;
    Plain<std::optional<std::string>> top_k_attr;
    Plain<std::optional<bool>> has_shared_experts;
    Plain<std::optional<std::string>> shared_experts_pattern;
    Plain<std::optional<std::string>> shared_experts_gate_pattern;
    Plain<std::optional<std::string>> expert_activation;
};
template <>
inline constexpr std::string_view section_name<AutoEPConfig> = "AutoEPConfig";

inline bool operator==(const AutoEPConfig& a, const AutoEPConfig& b) {
    return equal_sections(section_of<AutoEPConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/expert_parallel.hpp>
#endif
