// SPDX-License-Identifier: MIT
//
// The section checkpoint. DeepSpeed looks into it three times: the tag's validation first, the way
// of writing only after other sections.
// Source: deepspeed/runtime/config.py, deepspeed/runtime/model_checkpointing/config.py.
#pragma once

#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct ParallelWriteConfig {
    Plain<bool> pipeline_stage;
};
template <>
inline constexpr std::string_view section_name<ParallelWriteConfig> = "parallel_write";

struct CheckpointWriterConfig {
    Plain<std::string> type = "FAST";
    Plain<bool> decoupled;
    Plain<std::int64_t> io_buffer_size = std::int64_t{64} << 20;
    Plain<bool> io_buffer_double = true;
    Plain<bool> show_statistics;
    Plain<std::optional<std::string>> data_parallel;
    Plain<std::int64_t> io_multiplier = 1;
};
template <>
inline constexpr std::string_view section_name<CheckpointWriterConfig> = "writer";

struct CheckpointConfig {
    Plain<std::string> tag_validation = "WARN";
    Plain<bool> load_universal;
    Plain<bool> use_node_local_storage;
    ParallelWriteConfig parallel_write;
    Plain<bool> checkpoint_serialization = true;
    std::optional<CheckpointWriterConfig> writer;  ///< empty: torch's
};
template <>
inline constexpr std::string_view section_name<CheckpointConfig> = "checkpoint";

inline bool operator==(const CheckpointConfig& a, const CheckpointConfig& b) {
    return equal_sections(section_of<CheckpointConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/checkpoint.hpp>
#endif
