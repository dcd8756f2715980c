// SPDX-License-Identifier: MIT
//
// The section zero_optimization: DeepSpeedZeroConfig.
// Source: deepspeed/runtime/zero/config.py, 0.7.0 to 0.19.8. The members are every attribute that any of
// these releases has, in the newest one's order; a row tells which releases have it.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/leaf_module.hpp>
#include <dszero/config/member_values.hpp>
#include <dszero/config/offload.hpp>
#include <dszero/config/section_of.hpp>
#include <dszero/config/zenflow.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace dszero {

constexpr std::string_view zero_optimization = "zero_optimization";

enum class ZeroStageEnum : unsigned char {
    disabled = 0,
    optimizer_states = 1,
    gradients = 2,
    weights = 3,
    max_stage = 3,
};

/// Sizes count elements, not bytes.
struct DeepSpeedZeroConfig {
    ZeroStageEnum stage = ZeroStageEnum::disabled;
    bool contiguous_gradients = true;
    bool reduce_scatter = true;
    std::int64_t reduce_bucket_size = 500'000'000;
    bool use_multi_rank_bucket_allreduce = true;
    bool allgather_partitions = true;
    std::int64_t allgather_bucket_size = 500'000'000;
    std::optional<bool> overlap_comm;  ///< never empty once read: follows the stage
    bool compute_grad_norm = true;
    bool load_from_fp32_weights = true;
    bool elastic_checkpoint = false;
    std::optional<DeepSpeedZeroOffloadParamConfig> offload_param;
    std::optional<DeepSpeedZeroOffloadOptimizerConfig> offload_optimizer;
    std::optional<ZenFlowConfig> zenflow;
    std::int64_t sub_group_size = 1'000'000'000;
    Deprecated<std::optional<bool>> cpu_offload_param;
    Deprecated<std::optional<bool>> cpu_offload_use_pin_memory;
    Deprecated<std::optional<bool>> cpu_offload;
    std::int64_t prefetch_bucket_size = 50'000'000;
    std::int64_t param_persistence_threshold = 100'000;
    std::int64_t model_persistence_threshold = std::numeric_limits<std::int64_t>::max();
    std::int64_t max_live_parameters = 1'000'000'000;
    std::int64_t max_reuse_distance = 1'000'000'000;
    bool gather_16bit_weights_on_model_save = false;
    std::int64_t module_granularity_threshold = 0;
    bool use_all_reduce_for_fetch_params = false;
    bool allgather_sequential = false;
    Deprecated<bool> stage3_gather_fp16_weights_on_model_save;
    bool ignore_unused_parameters = true;
    bool legacy_stage1 = false;
    bool round_robin_gradients = false;
    bool parameter_alignment = false;
    std::int64_t zero_hpz_partition_size = 1;
    bool zero_quantized_weights = false;
    bool zero_quantized_nontrainable_weights = false;
    bool zero_quantized_gradients = false;
    AnyJson zeropp_loco_param;  ///< an object, or null
    std::int64_t mics_shard_size = -1;
    bool mics_hierarchical_params_gather = false;
    bool memory_efficient_linear = true;
    bool pipeline_loading_checkpoint = false;
    bool override_module_apply = true;
    bool log_trace_cache_warnings = false;
    bool enable_sanity_checks = false;
    bool save_muon_momentum_buffer_in_memory = false;
    DeepSpeedZeroLeafModuleConfig leaf_module;

    bool operator==(const DeepSpeedZeroConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedZeroConfig> = "DeepSpeedZeroConfig";

}  // namespace dszero
