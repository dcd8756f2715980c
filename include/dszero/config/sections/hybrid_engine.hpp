// SPDX-License-Identifier: MIT
//
// The section hybrid_engine: training and generating text in turn.
// Source: HybridEngineConfig in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/document_sections.hpp>

#include <array>
#include <cstdint>
#include <string_view>

namespace dszero {

struct HybridEngineConfig {
    bool enabled = false;
    std::int64_t max_out_tokens = 512;
    std::int64_t inference_tp_size = 1;
    bool release_inference_cache = false;
    bool pin_parameters = true;
    std::int64_t tp_gather_partition_size = 8;
    bool enable_cuda_graph = false;

    bool operator==(const HybridEngineConfig&) const = default;
};

template <>
struct schema<HybridEngineConfig> {
    using C = HybridEngineConfig;
    static constexpr std::string_view name = "HybridEngineConfig";
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
