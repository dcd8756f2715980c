// SPDX-License-Identifier: MIT
//
// The section pipeline: pipeline parallelism. Keys that DeepSpeed does not know are kept as well.
// Source: get_pipeline_config in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace dszero {

struct PipelineConfig {
    Plain<std::string> stages = "auto";  ///< or a number
    Plain<std::string> partition = "best";
    Plain<bool> seed_layers;
    Plain<std::int64_t> activation_checkpoint_interval = 0;
    Plain<bool> pipe_partitioned = true;
    Plain<bool> grad_partitioned = true;
};

template <>
struct schema<PipelineConfig> {
    using C = PipelineConfig;
    static constexpr std::string_view name = "pipeline";
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
inline bool operator==(const PipelineConfig& a, const PipelineConfig& b) {
    return equal_sections(section<PipelineConfig>, &a, &b);
}

template <>
inline constexpr MemberType member_type<PipelineConfig> = plain_section<PipelineConfig>;

}  // namespace dszero
