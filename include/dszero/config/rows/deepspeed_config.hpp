// SPDX-License-Identifier: MIT
//
// A row for each key of a document's top level, in the order in which DeepSpeed reads them;
// so the first fault is the first that a walk along the rows finds.
// Source: DeepSpeedConfig._initialize_params in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/deepspeed_config.hpp>
#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/plain_types.hpp>
#include <dszero/config/rows/activation_checkpointing.hpp>
#include <dszero/config/rows/aio.hpp>
#include <dszero/config/rows/autotuning.hpp>
#include <dszero/config/rows/checkpoint.hpp>
#include <dszero/config/rows/compile.hpp>
#include <dszero/config/rows/compression.hpp>
#include <dszero/config/rows/data_efficiency.hpp>
#include <dszero/config/rows/expert_parallel.hpp>
#include <dszero/config/rows/gradients.hpp>
#include <dszero/config/rows/hybrid_engine.hpp>
#include <dszero/config/rows/monitor.hpp>
#include <dszero/config/rows/optimizer.hpp>
#include <dszero/config/rows/pipeline.hpp>
#include <dszero/config/rows/precision.hpp>
#include <dszero/config/rows/profiling.hpp>
#include <dszero/config/rows/removed.hpp>
#include <dszero/config/rows/scheduler.hpp>
#include <dszero/config/rows/tensor_parallel.hpp>
#include <dszero/config/rows/torch_autocast.hpp>
#include <dszero/config/rows/weight_quantization.hpp>
#include <dszero/config/rows/zero.hpp>
#include <dszero/config/zero_forms.hpp>

#include <array>

namespace dszero {

/// Takes the value as it is; it is completed once the document has been read.
inline bool read_batch_number(void* member, const Value& value, const Row&, Reading& r, const Path&) {
    static_cast<BatchNumber*>(member)->json = kept(value, r);
    return true;
}
inline Json write_batch_number(const void* member, const Writing&) {
    return static_cast<const BatchNumber*>(member)->json;
}

template <>
inline constexpr MemberType member_type<BatchNumber> = {"a number greater than 0 or null", "number",
                                                        read_batch_number, write_batch_number};

template <>
struct schema<DeepSpeedConfig> {
    using C = DeepSpeedConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::elasticity, {.name = "elasticity",
                               .doc = "Batch sizes that suit many numbers of ranks.",
                               .until = "0.19.8",
                               .type = &removed_section}),
        field(&C::train_batch_size, {.name = "train_batch_size",
                                     .doc = "Samples a step, over all ranks.",
                                     .derived = "it follows from the other two and the ranks"}),
        field(&C::train_micro_batch_size_per_gpu, {.name = "train_micro_batch_size_per_gpu",
                                                   .doc = "Samples a rank sees in one forward and backward.",
                                                   .derived = "it follows from the other two and the ranks"}),
        field(&C::gradient_accumulation_steps, {.name = "gradient_accumulation_steps",
                                                .doc = "Forward and backward passes a step.",
                                                .derived = "it follows from the other two and the ranks"}),
        field(&C::managed_gradient_accumulation, {.name = "managed_gradient_accumulation",
                                                  .doc = "DeepSpeed decides which backward pass ends a step.",
                                                  .since = "0.19.4"}),
        field(&C::steps_per_print, {.name = "steps_per_print",
                                    .doc = "Logs progress every so many steps; null never does.",
                                    .before = {.release = "0.15.2", .preset = 10}}),
        field(&C::dump_state, {.name = "dump_state", .doc = "Prints the engine's state at the start."}),
        field(
            &C::disable_python_gc,
            {.name = "disable_python_gc", .doc = "Turns Python's garbage collector off.", .since = "0.19.8"}),
        field(&C::disable_allgather, {.name = "disable_allgather", .doc = "Has no effect."}),
        field(&C::communication_data_type, {.name = "communication_data_type",
                                            .doc = "The type that gradients are sent and summed in.",
                                            .derived = "it is the model's type"}),
        field(&C::seq_parallel_communication_data_type,
              {.name = "seq_parallel_communication_data_type",
               .doc = "The type that gradients are summed in over sequence-parallel ranks.",
               .since = "0.16.5"}),
        field(&C::seq_parallel_communication_data_type,
              {.name = "seq_parallel_comm_data_type",
               .doc = "The older name of seq_parallel_communication_data_type.",
               .since = "0.11.2",
               .until = "0.16.5",
               .is_attribute = false}),
        field(&C::prescale_gradients, {.name = "prescale_gradients",
                                       .doc = "Divides gradients by the ranks before they are summed."}),
        field(&C::gradient_predivide_factor,
              {.name = "gradient_predivide_factor",
               .doc = "Divides gradients by this before they are summed, and by the rest after."}),
        field(&C::gradient_allreduce_op, {.name = "gradient_allreduce_op",
                                          .doc = "Whether gradients are averaged or summed over the ranks.",
                                          .since = "0.19.6"}),
        field(&C::sparse_gradients, {.name = "sparse_gradients_enabled",
                                     .alias = "sparse_gradients",
                                     .doc = "Sends gradients of embeddings sparsely.",
                                     .until = "0.19.8",
                                     .type = &anything}),
        field(&C::zero_config,
              {.name = "zero_config", .alias = "zero_optimization", .doc = "The ZeRO optimizations."}),
        field(&C::activation_checkpointing_config,
              {.name = "activation_checkpointing_config",
               .alias = "activation_checkpointing",
               .doc = "Activations that are computed again instead of kept."}),
        field(&C::comms_logger,
              {.name = "comms_logger", .doc = "Logging of collective operations.", .is_attribute = false}),
        field(&C::tensorboard,
              {.name = "tensorboard", .doc = "Logging to TensorBoard.", .is_attribute = false}),
        field(&C::comet,
              {.name = "comet", .doc = "Logging to Comet.", .since = "0.14.3", .is_attribute = false}),
        field(&C::wandb, {.name = "wandb", .doc = "Logging to Weights & Biases.", .is_attribute = false}),
        field(&C::csv_monitor,
              {.name = "csv_monitor", .doc = "Logging to CSV files.", .is_attribute = false}),
        field(&C::gradient_clipping,
              {.name = "gradient_clipping",
               .doc = "The largest norm of all gradients together; 0 leaves it as it is.",
               .before = {.release = "0.19.3", .preset = 0.0}}),
        field(&C::float16_config,
              {.name = "float16_config", .alias = "fp16", .doc = "Training in fp16, and its loss scale."}),
        field(&C::bfloat16_config, {.name = "bfloat16_config", .alias = "bf16", .doc = "Training in bf16."}),
        field(&C::bfloat16_config, {.name = "bfloat16",
                                    .doc = "The older name of bf16, read where that is absent or null.",
                                    .replaced_by = "bf16"}),
        field(&C::amp, {.name = "amp",
                        .doc = "Apex's mixed precision.",
                        .until = "0.19.8",
                        .type = &section_with_enabled}),
        field(&C::torch_autocast,
              {.name = "torch_autocast", .doc = "PyTorch's mixed precision.", .since = "0.17.2"}),
        field(&C::compression_training, {.name = "compression_training",
                                         .doc = "Quantization and pruning.",
                                         .until = "0.19.7",
                                         .type = &compression_type}),
        field(&C::graph_harvesting, {.name = "graph_harvesting",
                                     .doc = "Runs from CUDA graphs.",
                                     .since = "0.12.6",
                                     .until = "0.19.8",
                                     .type = &anything}),
        field(&C::optimizer, {.name = "optimizer", .doc = "The optimizer, and what its constructor takes."}),
        field(&C::zero_allow_untested_optimizer,
              {.name = "zero_allow_untested_optimizer",
               .doc = "Lets ZeRO run with an optimizer that DeepSpeed does not know."}),
        field(&C::zero_force_ds_cpu_optimizer,
              {.name = "zero_force_ds_cpu_optimizer",
               .doc = "Insists on DeepSpeed's own optimizer where it steps on the host.",
               .since = "0.8.3"}),
        field(&C::scheduler, {.name = "scheduler", .doc = "The learning rate's schedule."}),
        field(&C::flops_profiler_config, {.name = "flops_profiler_config",
                                          .alias = "flops_profiler",
                                          .doc = "Counting of floating-point operations."}),
        field(&C::wall_clock_breakdown,
              {.name = "wall_clock_breakdown", .doc = "Logs the time of each phase of a step."}),
        field(&C::memory_breakdown, {.name = "memory_breakdown", .doc = "Logs memory use."}),
        field(&C::autotuning_config, {.name = "autotuning_config",
                                      .alias = "autotuning",
                                      .doc = "The search for a good configuration.",
                                      .is_attribute = false}),
        field(&C::eigenvalue, {.name = "eigenvalue",
                               .doc = "Quantization by eigenvalues.",
                               .until = "0.19.8",
                               .type = &anything}),
        field(&C::quantize_training, {.name = "quantize_training",
                                      .doc = "Mixture of quantization.",
                                      .until = "0.19.7",
                                      .type = &anything}),
        field(&C::use_data_before_expert_parallel_, {.name = "use_data_before_expert_parallel_",
                                                     .alias = "use_data_before_expert_parallelism",
                                                     .doc = "Which ranks form an expert-parallel group.",
                                                     .since = "0.12.4"}),
        field(&C::hybrid_engine,
              {.name = "hybrid_engine", .doc = "Training and generating text in turn.", .since = "0.9.0"}),
        field(&C::sparse_attention, {.name = "sparse_attention",
                                     .doc = "Sparse attention's pattern.",
                                     .until = "0.19.7",
                                     .type = &sparse_attention_type}),
        field(&C::pipeline, {.name = "pipeline", .doc = "Pipeline parallelism.", .is_attribute = false}),
        field(&C::progressive_layer_drop, {.name = "progressive_layer_drop",
                                           .doc = "Leaves out layers while it trains.",
                                           .until = "0.19.8",
                                           .type = &section_with_enabled}),
        field(&C::curriculum_learning, {.name = "curriculum_learning",
                                        .doc = "Curriculum learning of old.",
                                        .until = "0.19.8",
                                        .type = &section_with_enabled}),
        field(&C::data_efficiency_config, {.name = "data_efficiency_config",
                                           .alias = "data_efficiency",
                                           .doc = "Curriculum learning, dynamic batching, token dropping.",
                                           .since = "0.8.0",
                                           .is_attribute = false}),
        field(&C::checkpoint_config, {.name = "checkpoint_config",
                                      .alias = "checkpoint",
                                      .doc = "How checkpoints are written and loaded.",
                                      .is_attribute = false}),
        field(&C::data_types, {.name = "data_types", .doc = "Number types.", .since = "0.7.6"}),
        field(&C::aio_config, {.name = "aio_config", .alias = "aio", .doc = "Reading and writing NVMe."}),
        field(&C::dataloader_drop_last,
              {.name = "dataloader_drop_last", .doc = "Leaves out a last batch that is not full."}),
        field(&C::log_level, {.name = "log_level", .doc = "DeepSpeed's own log level.", .since = "0.19.3"}),
        field(&C::nebula, {.name = "nebula",
                           .doc = "Azure's checkpoint service.",
                           .until = "0.19.7",
                           .type = &removed_section}),
        field(&C::datastates_config, {.name = "datastates_config",
                                      .alias = "datastates_ckpt",
                                      .doc = "Asynchronous checkpoints; anything but false switches them on.",
                                      .since = "0.18.1",
                                      .is_attribute = false,
                                      .type = &anything}),
        field(&C::weight_quantization_config, {.name = "weight_quantization_config",
                                               .alias = "weight_quantization",
                                               .doc = "Weights quantized when the model is loaded.",
                                               .since = "0.10.3"}),
        field(&C::compile_config,
              {.name = "compile_config", .alias = "compile", .doc = "DeepCompile.", .since = "0.13.2"}),
        field(
            &C::timers_config,
            {.name = "timers_config", .alias = "timers", .doc = "Measuring throughput.", .since = "0.14.3"}),
        field(&C::tensor_parallel_config, {.name = "tensor_parallel_config",
                                           .alias = "tensor_parallel",
                                           .doc = "Layers split across ranks.",
                                           .since = "0.16.4"}),
        field(&C::expert_parallel_config, {.name = "expert_parallel_config",
                                           .alias = "expert_parallel",
                                           .doc = "Experts split across ranks.",
                                           .since = "0.19.2",
                                           .is_attribute = false}),
        field(&C::vocabulary_size, {.name = "vocabulary_size",
                                    .doc = "DeepSpeed warns where it is no multiple of 8.",
                                    .is_attribute = false}),
        field(&C::sequence_parallel_size,
              {.name = "sequence_parallel_size",
               .doc = "Ranks that share a sequence; read where the caller hands over a dictionary.",
               .since = "0.17.0",
               .is_attribute = false}),
        field(&C::allgather_size, {.name = "allgather_size",
                                   .doc = "Elements gathered at once, of the boolean zero_optimization.",
                                   .is_attribute = false}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

}  // namespace dszero
