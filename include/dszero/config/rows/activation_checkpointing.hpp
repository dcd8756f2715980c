// SPDX-License-Identifier: MIT
//
// Rows of sections/activation_checkpointing.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/sections/activation_checkpointing.hpp>

#include <array>

namespace dszero {

template <>
struct schema<DeepSpeedActivationCheckpointingConfig> {
    using C = DeepSpeedActivationCheckpointingConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::partition_activations,
              {.name = "partition_activations",
               .doc = "Splits checkpointed activations across model-parallel ranks."}),
        field(&C::contiguous_memory_optimization,
              {.name = "contiguous_memory_optimization",
               .doc = "Copies them into one buffer; needs number_checkpoints."}),
        field(&C::cpu_checkpointing, {.name = "cpu_checkpointing", .doc = "Moves them to the host."}),
        field(&C::number_checkpoints,
              {.name = "number_checkpoints", .doc = "How many there are, for that buffer."}),
        field(&C::synchronize_checkpoint_boundary, {.name = "synchronize_checkpoint_boundary",
                                                    .doc = "Synchronizes the device at each boundary."}),
        field(&C::profile, {.name = "profile", .doc = "Logs the time of forward and backward of each."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<DeepSpeedActivationCheckpointingConfig> =
    plain_section<DeepSpeedActivationCheckpointingConfig>;

}  // namespace dszero
