// SPDX-License-Identifier: MIT
//
// What Hugging Face's Trainer knows and a ds_config with "auto" does not say.
#pragma once

#include <cstdint>
#include <optional>

namespace dszero {

/// What the Trainer knows: TrainingArguments under their own names, each with its default there where it is
/// empty, and what has no default.
struct TrainerFacts {
    std::optional<std::int64_t> per_device_train_batch_size;
    std::optional<std::int64_t> gradient_accumulation_steps;
    std::optional<double> max_grad_norm;
    std::optional<double> learning_rate;
    std::optional<double> adam_beta1, adam_beta2, adam_epsilon;
    std::optional<double> weight_decay;
    std::optional<double> warmup_steps;  ///< below 1: a share of num_training_steps
    std::optional<bool> fp16, bf16;
    std::int64_t world_size = 1;
    std::optional<std::int64_t> hidden_size;         ///< of the model; the largest where it has several
    std::optional<std::int64_t> num_training_steps;  ///< in optimizer steps
};

}  // namespace dszero
