// SPDX-License-Identifier: MIT
//
// The section compile: DeepCompile, which moves ZeRO's communication into the compiled graph.
// Source: deepspeed/compile/config.py; in 0.13.2 to 0.14.3 deepspeed/runtime/compiler.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dszero {

struct CompileConfig {
    bool enabled = false;
    std::string backend = "inductor";
    Json kwargs = json_object();
    bool deepcompile = false;
    bool autoep_non_moe = false;
    bool free_activation = false;
    std::int64_t free_activation_threshold = 10'485'760;
    bool offload_activation = false;
    bool offload_activation_pin_memory = true;
    bool offload_opt_states = false;
    bool double_buffer = true;
    bool symmetric_memory = false;
    bool debug_log = false;
    bool offload_parameters = false;
    bool sync_before_reduce = false;
    bool sync_after_reduce = false;
    bool sync_before_allgather = false;
    bool sync_after_allgather = false;
    bool keep_int_input_tensors = true;
    bool keep_all_input_tensors = false;
    Json passes;
};
template <>
inline constexpr std::string_view section_name<CompileConfig> = "CompileConfig";

inline bool operator==(const CompileConfig& a, const CompileConfig& b) {
    return equal_sections(section_of<CompileConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/compile.hpp>
#endif
