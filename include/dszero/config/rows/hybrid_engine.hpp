// SPDX-License-Identifier: MIT
//
// Rows of sections/hybrid_engine.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/sections/hybrid_engine.hpp>

#include <array>

namespace dszero {

template <>
struct schema<HybridEngineConfig> {
    using C = HybridEngineConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Uses the hybrid engine."}),
        field(&C::max_out_tokens, {.name = "max_out_tokens",
                                   .doc = "The longest text, in tokens.",
                                   .above = 0,
                                   .before = {.release = "0.19.7"}}),
        field(&C::inference_tp_size,
              {.name = "inference_tp_size", .doc = "Degree of tensor parallelism while generating."}),
        field(&C::release_inference_cache,
              {.name = "release_inference_cache", .doc = "Gives the cache's memory back in between."}),
        field(&C::pin_parameters,
              {.name = "pin_parameters", .doc = "Pins offloaded parameters while generating."}),
        field(&C::tp_gather_partition_size,
              {.name = "tp_gather_partition_size", .doc = "Parameters gathered at once."}),
        field(&C::enable_cuda_graph,
              {.name = "enable_cuda_graph", .doc = "Generates from a CUDA graph.", .since = "0.19.6"}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<HybridEngineConfig> = modelled_section<HybridEngineConfig>;

}  // namespace dszero
