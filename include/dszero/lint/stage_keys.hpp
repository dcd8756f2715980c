// SPDX-License-Identifier: MIT
//
// Which ZeRO stages look at which keys, and what happens at the others.
#pragma once

#include <dszero/config/key_index.hpp>
#include <dszero/config/rows/zero.hpp>
#include <dszero/config/suggest.hpp>

#include <array>
#include <cstddef>
#include <string_view>

namespace dszero::rules {

/// A key of zero_optimization that only some stages look at.
struct StageKey {
    std::string_view key;
    int first, last;           ///< the stages that look at it
    std::string_view instead;  ///< what happens at the others, to go on after "at stage N"
};

inline constexpr std::array stage_keys = {
    StageKey{"offload_param", 3, 3, "the parameters stay on the device"},
    StageKey{"sub_group_size", 3, 3, "the optimizer steps a whole parameter group at once"},
    StageKey{"stage3_prefetch_bucket_size", 3, 3, "parameters are not partitioned, so nothing is fetched"},
    StageKey{"stage3_param_persistence_threshold", 3, 3, "every parameter is whole all the time"},
    StageKey{"stage3_model_persistence_threshold", 3, 3, "every parameter is whole all the time"},
    StageKey{"stage3_max_live_parameters", 3, 3, "every parameter is whole all the time"},
    StageKey{"stage3_max_reuse_distance", 3, 3, "parameters are never released"},
    StageKey{"stage3_gather_16bit_weights_on_model_save", 3, 3, "every rank has the whole weights to save"},
    StageKey{"stage3_module_granularity_threshold", 3, 3,
             "parameters are not partitioned, so nothing is fetched"},
    StageKey{"stage3_use_all_reduce_for_fetch_params", 3, 3,
             "parameters are not partitioned, so nothing is fetched"},
    StageKey{"stage3_allgather_sequential", 3, 3, "parameters are not partitioned, so nothing is fetched"},
    StageKey{"zero_hpz_partition_size", 3, 3,
             "parameters are not partitioned, so there is no second partition"},
    StageKey{"zero_quantized_weights", 3, 3, "weights are gathered as they are"},
    StageKey{"zero_quantized_nontrainable_weights", 3, 3, "frozen weights stay as they are"},
    StageKey{"zero_quantized_gradients", 3, 3, "gradients are reduced as they are"},
    StageKey{"mics_shard_size", 3, 3, "parameters are not partitioned"},
    StageKey{"mics_hierarchical_params_gather", 3, 3, "parameters are not partitioned"},
    StageKey{"memory_efficient_linear", 3, 3, "zero.Init is not used"},
    StageKey{"override_module_apply", 3, 3, "zero.Init is not used"},
    StageKey{"log_trace_cache_warnings", 3, 3, "parameters are not partitioned, so nothing is fetched"},
    StageKey{"enable_sanity_checks", 3, 3, "there is nothing that it checks"},
    StageKey{"save_muon_momentum_buffer_in_memory", 3, 3, "Muon's momentum stays where the stage keeps it"},
    StageKey{"leaf_module", 3, 3, "parameters are not partitioned, so nothing is fetched"},
    StageKey{"round_robin_gradients", 1, 2, "gradients are partitioned parameter by parameter"},
    StageKey{"use_multi_rank_bucket_allreduce", 1, 2, "gradients are reduced as the stage does it"},
    StageKey{"allgather_bucket_size", 1, 2, "parameters are gathered when they are used"},
    StageKey{"ignore_unused_parameters", 1, 2, "unused parameters are always ignored"},
    StageKey{"parameter_alignment", 1, 2, "parameters stand as they come"},
};

/// The row of stage_keys for a key, or for its attribute's name; null: every stage looks at it.
inline const StageKey* find_stage_key(std::string_view key) {
    static const KeyIndex index = [] {
        KeyIndex keys;
        for (const StageKey& entry : stage_keys) {
            keys.add(entry.key);
            keys.add(find_row(section<DeepSpeedZeroConfig>, entry.key)->name);
        }
        return keys;
    }();
    const std::size_t number = index.find(key);
    return number == KeyIndex::none ? nullptr : &stage_keys[number / 2];
}

}  // namespace dszero::rules
