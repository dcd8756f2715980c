// SPDX-License-Identifier: MIT
//
// Rows of zero.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/rows/leaf_module.hpp>
#include <dszero/config/rows/offload.hpp>
#include <dszero/config/rows/zenflow.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero.hpp>

#include <array>

namespace dszero {

inline bool read_stage(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const bool text =
        value.json->is_string() && !r.behaviour.pydantic_2;  // pydantic 1 looks the value up as it is
    const auto taken = to_integer(*value.json, r.spelling(value), r.behaviour);
    if (!taken || text || taken.saturated || taken.truncated || taken.value < 0 || taken.value > 3)
        return refuse(Refusal::kind, value, row, r, path);
    *static_cast<ZeroStageEnum*>(member) = static_cast<ZeroStageEnum>(taken.value);
    return true;
}
inline Json write_stage(const void* member, const Writing&) {
    return json_integer(static_cast<int>(*static_cast<const ZeroStageEnum*>(member)));
}

template <>
inline constexpr MemberType member_type<ZeroStageEnum> = {"0, 1, 2 or 3", "[0|1|2|3]", read_stage,
                                                          write_stage};

// zero_validators.hpp
inline void overlap_comm_needs_stage(Checking&);
inline void overlap_comm_valid(Checking&);
inline void compute_grad_norm_valid(Checking&);
inline void offload_ratio_check(Checking&);
inline void elastic_checkpoint_deprecated(Checking&);
inline void cpu_offload_param_moves(Checking&);
inline void cpu_offload_use_pin_memory_ignored(Checking&);
inline void cpu_offload_moves(Checking&);
inline void gather_fp16_weights_moves(Checking&);

template <>
struct schema<DeepSpeedZeroConfig> {
    using C = DeepSpeedZeroConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::stage,
              {.name = "stage",
               .doc = "What is split across the ranks: 0 nothing, 1 optimizer states, 2 gradients too, "
                      "3 weights too."}),
        field(&C::contiguous_gradients,
              {.name = "contiguous_gradients",
               .doc = "Copies gradients into one buffer as backward produces them."}),
        field(&C::reduce_scatter, {.name = "reduce_scatter",
                                   .doc = "Averages gradients by reduce or reduce-scatter, not all-reduce."}),
        field(&C::reduce_bucket_size, {.name = "reduce_bucket_size",
                                       .doc = "Gradient elements reduced at once.",
                                       .unit = Unit::elements,
                                       .above = 0,
                                       .before = {.release = "0.19.6", .at_least = 0}}),
        field(&C::use_multi_rank_bucket_allreduce,
              {.name = "use_multi_rank_bucket_allreduce",
               .doc = "Reduces the buckets of several ranks by one all-reduce.",
               .since = "0.12.4"}),
        field(&C::allgather_partitions,
              {.name = "allgather_partitions",
               .doc = "Gathers updated weights by all-gather, not by a series of broadcasts."}),
        field(&C::allgather_bucket_size, {.name = "allgather_bucket_size",
                                          .doc = "Elements gathered at once.",
                                          .unit = Unit::elements,
                                          .at_least = 0}),
        field(&C::overlap_comm, {.name = "overlap_comm",
                                 .doc = "Reduces gradients while backward goes on.",
                                 .derived = "true at stage 3, else false"}),
        field(&C::compute_grad_norm, {.name = "compute_grad_norm",
                                      .doc = "Computes the gradients' global norm in each step; false at "
                                             "stages 1 and 2 only.",
                                      .since = "0.19.7"}),
        field(
            &C::load_from_fp32_weights,
            {.name = "load_from_fp32_weights",
             .doc =
                 "Starts the fp32 master weights from the checkpoint's fp32 copy, not from the 16-bit one."}),
        field(&C::elastic_checkpoint,
              {.name = "elastic_checkpoint",
               .doc = "Loads a checkpoint that another number of ranks saved; no longer "
                      "at stage 3."}),
        field(&C::offload_param,
              {.name = "offload_param", .doc = "Moves parameters to the host or to NVMe; stage 3."}),
        field(&C::offload_optimizer,
              {.name = "offload_optimizer",
               .doc = "Moves optimizer states, and the step, to the host or to NVMe."}),
        field(&C::zenflow, {.name = "zenflow",
                            .doc = "Applies important gradients at once, the others later.",
                            .since = "0.17.5"}),
        field(&C::sub_group_size,
              {.name = "sub_group_size",
               .doc = "Parameter elements that the optimizer steps through at once; stage 3.",
               .unit = Unit::elements,
               .at_least = 0}),
        field(&C::cpu_offload_param, {.name = "cpu_offload_param",
                                      .doc = "Now offload_param with device cpu.",
                                      .replaced_by = "offload_param",
                                      .moves = true}),
        field(&C::cpu_offload_use_pin_memory,
              {.name = "cpu_offload_use_pin_memory",
               .doc = "Now pin_memory in the offload sections; has no effect.",
               .replaced_by = "offload_param or offload_optimizer"}),
        field(&C::cpu_offload, {.name = "cpu_offload",
                                .doc = "Now offload_optimizer with device cpu.",
                                .replaced_by = "offload_optimizer",
                                .moves = true}),
        field(&C::prefetch_bucket_size, {.name = "prefetch_bucket_size",
                                         .alias = "stage3_prefetch_bucket_size",
                                         .doc = "Parameter elements fetched ahead of use.",
                                         .unit = Unit::elements,
                                         .at_least = 0}),
        field(&C::param_persistence_threshold,
              {.name = "param_persistence_threshold",
               .alias = "stage3_param_persistence_threshold",
               .doc = "Parameters with fewer elements are kept whole on every rank.",
               .unit = Unit::elements,
               .at_least = 0}),
        field(&C::model_persistence_threshold, {.name = "model_persistence_threshold",
                                                .alias = "stage3_model_persistence_threshold",
                                                .doc = "Elements that may be kept whole in total.",
                                                .unit = Unit::elements,
                                                .at_least = 0,
                                                .prints_as = "sys.maxsize"}),
        field(&C::max_live_parameters, {.name = "max_live_parameters",
                                        .alias = "stage3_max_live_parameters",
                                        .doc = "Parameter elements that may be gathered at a time.",
                                        .unit = Unit::elements,
                                        .at_least = 0}),
        field(&C::max_reuse_distance,
              {.name = "max_reuse_distance",
               .alias = "stage3_max_reuse_distance",
               .doc = "A parameter needed again within so many elements is not released.",
               .unit = Unit::elements,
               .at_least = 0}),
        field(&C::gather_16bit_weights_on_model_save,
              {.name = "gather_16bit_weights_on_model_save",
               .alias = "stage3_gather_16bit_weights_on_model_save",
               .doc = "Puts the 16-bit weights together when the model is saved."}),
        field(&C::module_granularity_threshold,
              {.name = "module_granularity_threshold",
               .alias = "stage3_module_granularity_threshold",
               .doc = "Modules with fewer parameter elements per submodule are fetched as one.",
               .unit = Unit::elements,
               .since = "0.16.0"}),
        field(&C::use_all_reduce_for_fetch_params, {.name = "use_all_reduce_for_fetch_params",
                                                    .alias = "stage3_use_all_reduce_for_fetch_params",
                                                    .doc = "Gathers parameters by all-reduce.",
                                                    .since = "0.14.3"}),
        field(&C::allgather_sequential, {.name = "allgather_sequential",
                                         .alias = "stage3_allgather_sequential",
                                         .doc = "Gathers parameters one after the other, without a bucket.",
                                         .since = "0.18.5"}),
        field(&C::stage3_gather_fp16_weights_on_model_save,
              {.name = "stage3_gather_fp16_weights_on_model_save",
               .doc = "Now stage3_gather_16bit_weights_on_model_save.",
               .replaced_by = "gather_16bit_weights_on_model_save",
               .moves = true}),
        field(&C::ignore_unused_parameters, {.name = "ignore_unused_parameters",
                                             .doc = "Goes on where a parameter got no gradient; stage 2."}),
        field(&C::legacy_stage1,
              {.name = "legacy_stage1", .doc = "Uses the first implementation of stage 1."}),
        field(&C::round_robin_gradients,
              {.name = "round_robin_gradients",
               .doc = "Deals gradients out to ranks in turn, so that copying to the host runs in parallel."}),
        field(&C::parameter_alignment,
              {.name = "parameter_alignment",
               .doc = "Starts each parameter at 16 bytes in flat buffers; stages 1 and 2.",
               .since = "0.19.7"}),
        field(&C::zero_hpz_partition_size,
              {.name = "zero_hpz_partition_size",
               .doc = "Ranks that share a second partition of the weights (ZeRO++).",
               .at_least = 0,
               .since = "0.10.0"}),
        field(&C::zero_quantized_weights, {.name = "zero_quantized_weights",
                                           .doc = "Gathers weights quantized (ZeRO++).",
                                           .since = "0.10.0"}),
        field(&C::zero_quantized_nontrainable_weights, {.name = "zero_quantized_nontrainable_weights",
                                                        .doc = "Keeps and gathers frozen weights quantized.",
                                                        .since = "0.10.2"}),
        field(&C::zero_quantized_gradients, {.name = "zero_quantized_gradients",
                                             .doc = "Reduces gradients quantized (ZeRO++).",
                                             .since = "0.10.0"}),
        field(&C::zeropp_loco_param, {.name = "zeropp_loco_param",
                                      .doc = "Error compensation for quantized gradients (LoCo).",
                                      .since = "0.16.2",
                                      .until = "0.19.8"}),
        field(&C::mics_shard_size, {.name = "mics_shard_size",
                                    .doc = "Ranks that share one copy of the model (MiCS); -1: all.",
                                    .since = "0.9.2",
                                    .until = "0.19.7"}),
        field(&C::mics_hierarchical_params_gather, {.name = "mics_hierarchical_params_gather",
                                                    .doc = "Gathers within nodes first (MiCS).",
                                                    .since = "0.9.2",
                                                    .until = "0.19.7"}),
        field(&C::memory_efficient_linear,
              {.name = "memory_efficient_linear",
               .doc = "Uses a linear layer that keeps less for backward; stage 3.",
               .since = "0.9.0"}),
        field(&C::pipeline_loading_checkpoint, {.name = "pipeline_loading_checkpoint",
                                                .doc = "Loads checkpoints in a pipeline; stage 3.",
                                                .since = "0.10.1"}),
        field(&C::override_module_apply, {.name = "override_module_apply",
                                          .doc = "Makes Module.apply gather what it touches; stage 3.",
                                          .since = "0.10.1"}),
        field(&C::log_trace_cache_warnings, {.name = "log_trace_cache_warnings",
                                             .doc = "Logs when the recorded order of use is discarded.",
                                             .since = "0.16.4"}),
        field(&C::enable_sanity_checks, {.name = "enable_sanity_checks",
                                         .doc = "Checks internal state, for debugging.",
                                         .since = "0.17.6"}),
        field(&C::save_muon_momentum_buffer_in_memory,
              {.name = "save_muon_momentum_buffer_in_memory",
               .doc = "Keeps Muon's momentum in memory while other states are on NVMe.",
               .since = "0.18.9"}),
        field(&C::leaf_module,
              {.name = "leaf_module", .doc = "Modules fetched as a whole; stage 3.", .since = "0.18.0"}),
    };
    static constexpr std::array checks = {
        Check{"overlap_comm_valid", "overlap_comm needs a valid stage to follow", overlap_comm_needs_stage,
              oldest_release, "0.15.0", Phase::fields},
        Check{"overlap_comm_valid", "overlap_comm, where not given, is true at stage 3 and else false",
              overlap_comm_valid},
        Check{"compute_grad_norm_valid", "compute_grad_norm may be false at stages 1 and 2 only",
              compute_grad_norm_valid, "0.19.7"},
        Check{"offload_ratio_check", "offload_optimizer.ratio may be below 1 at stage 3 only",
              offload_ratio_check, "0.15.0"},
        Check{"elastic_checkpoint_deprecated", "elastic_checkpoint does nothing at stage 3 any more",
              elastic_checkpoint_deprecated, "0.19.3"},
        Check{"cpu_offload_param", "becomes offload_param", cpu_offload_param_moves, oldest_release,
              still_there, Phase::deprecated},
        Check{"cpu_offload_use_pin_memory", "does nothing", cpu_offload_use_pin_memory_ignored,
              oldest_release, still_there, Phase::deprecated},
        Check{"cpu_offload", "becomes offload_optimizer", cpu_offload_moves, oldest_release, still_there,
              Phase::deprecated},
        Check{"stage3_gather_fp16_weights_on_model_save", "becomes gather_16bit_weights_on_model_save",
              gather_fp16_weights_moves, oldest_release, still_there, Phase::deprecated},
    };
    static_assert(no_name_twice(rows));
};

}  // namespace dszero

#include <dszero/config/zero_validators.hpp>
