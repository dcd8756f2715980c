// SPDX-License-Identifier: MIT
//
// The section tensor_parallel: AutoTP, training with layers split across ranks.
// Source: deepspeed/runtime/tensor_parallel/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct TPConfig {
    std::int64_t tp_size = 1;
    std::int64_t tp_grain_size = 1;
    Json mpu;
    Json tp_group;
};
template <>
inline constexpr std::string_view section_name<TPConfig> = "TPConfig";

inline bool operator==(const TPConfig& a, const TPConfig& b) {
    return equal_sections(section_of<TPConfig>(), &a, &b);
}

struct TPTrainingConfig {
    std::string dtype = "torch.float16";
    std::int64_t autotp_size = 0;
    bool tp_overlap_comm = false;
    std::optional<bool> vocab_parallel_lm_head;
    std::string vocab_parallel_ce_backend = "torch";
    TPConfig tensor_parallel;
    Json injection_policy_tuple;
    Json partition_config;
    std::optional<std::string> preset_model;
    bool keep_module_on_host = false;
    bool replace_with_kernel_inject = false;
};
template <>
inline constexpr std::string_view section_name<TPTrainingConfig> = "TPTrainingConfig";

inline bool operator==(const TPTrainingConfig& a, const TPTrainingConfig& b) {
    return equal_sections(section_of<TPTrainingConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/tensor_parallel.hpp>
#endif
