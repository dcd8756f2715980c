// SPDX-License-Identifier: MIT
//
// Keys of the document's top level that say how much a step sees and what
// becomes of its gradients: batch sizes, accumulation, averaging, clipping.
// Source: deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

namespace dszero {

/// Any two of these determine the third, given the number of ranks.
struct BatchConfig {
    std::optional<std::int64_t> train_batch_size;
    std::optional<std::int64_t> train_micro_batch_size_per_gpu;
    std::optional<std::int64_t> gradient_accumulation_steps;

    bool operator==(const BatchConfig&) const = default;
};

/// What happens to gradients between backward and the optimizer.
struct GradientConfig {
    double gradient_clipping = 1.0;  ///< the largest global norm; 0: not clipped
    bool prescale_gradients = false;
    double gradient_predivide_factor = 1.0;
    std::optional<DataType> communication_data_type;  ///< empty: the model's type

    bool operator==(const GradientConfig&) const = default;
};

/// The three batch numbers, as DeepSpeed completes them.
struct Batch {
    std::int64_t train = 0;         ///< samples a step, over all ranks
    std::int64_t micro = 0;         ///< samples a rank sees between two calls of step()
    std::int64_t accumulation = 0;  ///< micro-steps a step
};

/// Completes and checks the batch numbers. Throws std::invalid_argument where DeepSpeed's assertions fail.
inline Batch complete_batch(const BatchConfig& config, std::int64_t ranks) {
    const auto train = config.train_batch_size, micro = config.train_micro_batch_size_per_gpu,
               accumulation = config.gradient_accumulation_steps;
    const auto positive = [](std::optional<std::int64_t> number, std::string_view name) {
        if (number && *number <= 0)
            throw std::invalid_argument(std::string(name) + " must be greater than 0, got " +
                                        std::to_string(*number));
    };
    positive(train, "train_batch_size");
    positive(micro, "train_micro_batch_size_per_gpu");
    positive(accumulation, "gradient_accumulation_steps");
    if (!train && !micro)
        throw std::invalid_argument(
            "either train_batch_size or train_micro_batch_size_per_gpu must be given");
    Batch batch;
    if (train && micro && !accumulation)
        batch = {*train, *micro, *train / *micro / ranks};
    else if (train)
        batch = {*train, micro ? *micro : *train / ranks / accumulation.value_or(1),
                 accumulation.value_or(1)};
    else
        batch = {*micro * accumulation.value_or(1) * ranks, *micro, accumulation.value_or(1)};
    if (batch.micro <= 0 || batch.accumulation <= 0 ||
        batch.train != batch.micro * batch.accumulation * ranks)
        throw std::invalid_argument("train_batch_size " + std::to_string(batch.train) +
                                    " is not micro batch " + std::to_string(batch.micro) +
                                    " * accumulation steps " + std::to_string(batch.accumulation) +
                                    " * ranks " + std::to_string(ranks));
    return batch;
}

template <>
struct schema<BatchConfig> {
    using C = BatchConfig;
    static constexpr std::string_view name = "batch";
    static constexpr Container container = Container::pydantics_choice;
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
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<GradientConfig> {
    using C = GradientConfig;
    static constexpr std::string_view name = "gradients";
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::gradient_clipping,
              {.name = "gradient_clipping",
               .doc = "The largest norm of all gradients together; 0 leaves it as it is.",
               .before = {.release = "0.19.3", .preset = 0.0}}),
        field(&C::prescale_gradients, {.name = "prescale_gradients",
                                       .doc = "Divides gradients by the ranks before they are summed."}),
        field(&C::gradient_predivide_factor,
              {.name = "gradient_predivide_factor",
               .doc = "Divides gradients by this before they are summed, and by the rest after."}),
        field(&C::communication_data_type, {.name = "communication_data_type",
                                            .doc = "The type that gradients are sent and summed in.",
                                            .derived = "it is the model's type"}),
    };
    static constexpr std::array<Check, 0> checks{};
};

}  // namespace dszero
