// SPDX-License-Identifier: MIT
//
// The section weight_quantization: weights quantized when the model is loaded.
// Source: WeightQuantConfig in deepspeed/inference/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace dszero {

struct WeightQuantConfig {
    bool enabled = true;
    std::int64_t num_bits = 8;
    std::string q_type = "symmetric";
    std::int64_t q_groups = 1;
    Json quantized_initialization = json_object();
    Json post_init_quant = json_object();
};
template <>
inline constexpr std::string_view section_name<WeightQuantConfig> = "WeightQuantConfig";

inline bool operator==(const WeightQuantConfig& a, const WeightQuantConfig& b) {
    return equal_sections(section_of<WeightQuantConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/weight_quantization.hpp>
#endif
