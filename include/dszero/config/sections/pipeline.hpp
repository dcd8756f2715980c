// SPDX-License-Identifier: MIT
//
// The section pipeline: pipeline parallelism. Keys that DeepSpeed does not know are kept as well.
// Source: get_pipeline_config in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

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
inline constexpr std::string_view section_name<PipelineConfig> = "pipeline";

inline bool operator==(const PipelineConfig& a, const PipelineConfig& b) {
    return equal_sections(section_of<PipelineConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/pipeline.hpp>
#endif
