// SPDX-License-Identifier: MIT
//
// DeepSpeedConfig: the whole document.
// Source: deepspeed/runtime/config.py. rows/deepspeed_config.hpp has the keys.
#pragma once

#include <dszero/config/batch_number.hpp>
#include <dszero/config/gradients.hpp>
#include <dszero/config/json_values.hpp>
#include <dszero/config/optimizer.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/scheduler.hpp>
#include <dszero/config/section_of.hpp>
#include <dszero/config/sections/activation_checkpointing.hpp>
#include <dszero/config/sections/aio.hpp>
#include <dszero/config/sections/autotuning.hpp>
#include <dszero/config/sections/checkpoint.hpp>
#include <dszero/config/sections/compile.hpp>
#include <dszero/config/sections/data_efficiency.hpp>
#include <dszero/config/sections/expert_parallel.hpp>
#include <dszero/config/sections/hybrid_engine.hpp>
#include <dszero/config/sections/monitor.hpp>
#include <dszero/config/sections/pipeline.hpp>
#include <dszero/config/sections/profiling.hpp>
#include <dszero/config/sections/tensor_parallel.hpp>
#include <dszero/config/sections/torch_autocast.hpp>
#include <dszero/config/sections/weight_quantization.hpp>
#include <dszero/config/zero.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

/// The configuration, under DeepSpeed's attribute names. Where DeepSpeed flattens a section into itself
/// (optimizer_name, scheduler_params, grad_accum_dtype), the section is a member here.
struct DeepSpeedConfig {
    BatchNumber train_batch_size;                ///< samples a step, over all ranks
    BatchNumber train_micro_batch_size_per_gpu;  ///< samples a rank sees in one forward and backward
    BatchNumber gradient_accumulation_steps;     ///< forward and backward passes a step
    Plain<bool> managed_gradient_accumulation = true;
    Plain<std::optional<std::int64_t>> steps_per_print;
    Plain<bool> dump_state;
    Plain<bool> disable_python_gc;
    Plain<bool> disable_allgather;
    std::optional<DataType> communication_data_type;  ///< empty: the model's type
    std::optional<DataType> seq_parallel_communication_data_type = DataType::fp32;
    Plain<bool> prescale_gradients;
    Plain<double> gradient_predivide_factor = 1.0;
    GradientAllreduceOp gradient_allreduce_op = GradientAllreduceOp::mean;
    DeepSpeedZeroConfig zero_config;
    DeepSpeedActivationCheckpointingConfig activation_checkpointing_config;
    std::optional<CommsLoggerConfig> comms_logger;
    TensorBoardConfig tensorboard;
    CometConfig comet;
    WandbConfig wandb;
    CSVConfig csv_monitor;
    Plain<double> gradient_clipping = 1.0;  ///< the largest global norm; 0: not clipped
    DeepSpeedFP16Config float16_config;
    DeepSpeedBF16Config bfloat16_config;
    TorchAutocastConfig torch_autocast;
    OptimizerConfig optimizer;
    Plain<bool> zero_allow_untested_optimizer;
    Plain<bool> zero_force_ds_cpu_optimizer = true;
    SchedulerConfig scheduler;
    DeepSpeedFlopsProfilerConfig flops_profiler_config;
    Plain<bool> wall_clock_breakdown;  ///< also true where flops_profiler is enabled
    Plain<bool> memory_breakdown;
    DeepSpeedAutotuningConfig autotuning_config;
    Plain<bool> use_data_before_expert_parallel_;
    HybridEngineConfig hybrid_engine;
    PipelineConfig pipeline;
    DataEfficiencyConfig data_efficiency_config;
    CheckpointConfig checkpoint_config;
    DataTypesConfig data_types;
    AioConfig aio_config;
    Plain<bool> dataloader_drop_last;
    Plain<std::optional<std::string>> log_level;
    Json datastates_config;
    std::optional<WeightQuantConfig> weight_quantization_config;
    CompileConfig compile_config;
    DeepSpeedThroughputTimerConfig timers_config;
    TPTrainingConfig tensor_parallel_config;
    std::optional<AutoEPConfig> expert_parallel_config;  ///< empty without the section
    Plain<std::optional<std::int64_t>> vocabulary_size;  ///< only to warn where it is no multiple of 8
    Plain<std::int64_t> sequence_parallel_size =
        1;  ///< ranks that share a sequence, for callers with a dictionary
    Plain<std::int64_t> allgather_size = 500'000'000;  ///< of the old form of zero_optimization

    // Read by older releases only.
    Json sparse_gradients = json_boolean(false), graph_harvesting = json_boolean(false);
    Json elasticity, amp, compression_training, eigenvalue, quantize_training, sparse_attention,
        progressive_layer_drop, curriculum_learning, nebula;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedConfig> = "DeepSpeedConfig";

inline bool operator==(const DeepSpeedConfig& a, const DeepSpeedConfig& b) {
    return equal_sections(section_of<DeepSpeedConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/deepspeed_config.hpp>
#endif
