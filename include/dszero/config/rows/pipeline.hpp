// SPDX-License-Identifier: MIT
//
// Rows of sections/pipeline.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/pipeline.hpp>

#include <array>
#include <string>

namespace dszero {

template <>
struct schema<PipelineConfig> {
    using C = PipelineConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::stages,
              {.name = "stages", .doc = "How many stages.", .type = &plain_anything<std::string>}),
        field(&C::partition, {.name = "partition", .doc = "How layers are dealt out to stages."}),
        field(&C::seed_layers, {.name = "seed_layers", .doc = "Seeds each layer anew."}),
        field(&C::activation_checkpoint_interval,
              {.name = "activation_checkpoint_interval",
               .doc = "Layers between two checkpointed activations; 0: none."}),
        field(&C::pipe_partitioned, {.name = "pipe_partitioned",
                                     .doc = "Splits activations across model-parallel ranks on their way."}),
        field(&C::grad_partitioned, {.name = "grad_partitioned", .doc = "Splits gradients likewise."}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<PipelineConfig> = plain_section<PipelineConfig>;

}  // namespace dszero
