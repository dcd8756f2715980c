// SPDX-License-Identifier: MIT
//
// The section hybrid_engine: training and generating text in turn.
// Source: HybridEngineConfig in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/section_of.hpp>

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
inline constexpr std::string_view section_name<HybridEngineConfig> = "HybridEngineConfig";

}  // namespace dszero
