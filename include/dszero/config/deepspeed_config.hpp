// SPDX-License-Identifier: MIT
//
// DeepSpeedConfig: the whole document, a row for each key of its top level, in the order in
// which DeepSpeed reads them; so the first fault is the first that a walk along the rows finds.
// Source: DeepSpeedConfig._initialize_params in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/batch.hpp>
#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/gradients.hpp>
#include <dszero/config/optimizer.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/scheduler.hpp>
#include <dszero/config/zero.hpp>
#include <dszero/config/zero_forms.hpp>

#include <array>
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
    Plain<double> gradient_clipping = 1.0;  ///< the largest global norm; 0: not clipped
    DeepSpeedFP16Config float16_config;
    DeepSpeedBF16Config bfloat16_config;
    OptimizerConfig optimizer;
    Plain<bool> zero_allow_untested_optimizer;
    Plain<bool> zero_force_ds_cpu_optimizer = true;
    SchedulerConfig scheduler;
    Plain<bool> memory_breakdown;
    DataTypesConfig data_types;
    Plain<bool> dataloader_drop_last;

    bool operator==(const DeepSpeedConfig&) const = default;
};

template <>
struct schema<DeepSpeedConfig> {
    using C = DeepSpeedConfig;
    static constexpr std::string_view name = "DeepSpeedConfig";
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
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
        field(&C::prescale_gradients, {.name = "prescale_gradients",
                                       .doc = "Divides gradients by the ranks before they are summed."}),
        field(&C::gradient_predivide_factor,
              {.name = "gradient_predivide_factor",
               .doc = "Divides gradients by this before they are summed, and by the rest after."}),
        field(&C::gradient_allreduce_op, {.name = "gradient_allreduce_op",
                                          .doc = "Whether gradients are averaged or summed over the ranks.",
                                          .since = "0.19.6"}),
        field(&C::zero_config,
              {.name = "zero_config", .alias = "zero_optimization", .doc = "The ZeRO optimizations."}),
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
        field(&C::optimizer, {.name = "optimizer", .doc = "The optimizer, and what its constructor takes."}),
        field(&C::zero_allow_untested_optimizer,
              {.name = "zero_allow_untested_optimizer",
               .doc = "Lets ZeRO run with an optimizer that DeepSpeed does not know."}),
        field(&C::zero_force_ds_cpu_optimizer,
              {.name = "zero_force_ds_cpu_optimizer",
               .doc = "Insists on DeepSpeed's own optimizer where it steps on the host.",
               .since = "0.8.3"}),
        field(&C::scheduler, {.name = "scheduler", .doc = "The learning rate's schedule."}),
        field(&C::memory_breakdown, {.name = "memory_breakdown", .doc = "Logs memory use."}),
        field(&C::data_types, {.name = "data_types", .doc = "Number types.", .since = "0.7.6"}),
        field(&C::dataloader_drop_last,
              {.name = "dataloader_drop_last", .doc = "Leaves out a last batch that is not full."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

}  // namespace dszero
