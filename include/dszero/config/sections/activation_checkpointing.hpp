// SPDX-License-Identifier: MIT
//
// The section activation_checkpointing: activations that are computed again instead of kept.
// Source: deepspeed/runtime/activation_checkpointing/config.py.
#pragma once

#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string_view>

namespace dszero {

struct DeepSpeedActivationCheckpointingConfig {
    Plain<bool> partition_activations;
    Plain<bool> contiguous_memory_optimization;
    Plain<bool> cpu_checkpointing;
    Plain<std::optional<std::int64_t>> number_checkpoints;
    Plain<bool> synchronize_checkpoint_boundary;
    Plain<bool> profile;

    bool operator==(const DeepSpeedActivationCheckpointingConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedActivationCheckpointingConfig> =
    "DeepSpeedActivationCheckpointingConfig";

}  // namespace dszero
