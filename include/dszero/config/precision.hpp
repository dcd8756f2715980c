// SPDX-License-Identifier: MIT
//
// The sections fp16 and bf16 (which also goes by bfloat16), and data_types.
// Source: deepspeed/runtime/precision_config.py of 0.17 and later; runtime/config.py before.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

/// The number types that DeepSpeed trains with and communicates in.
enum class DataType : unsigned char { fp32, fp16, bf16 };

constexpr std::array<std::string_view, 3> data_types = {"fp32", "fp16", "bf16"};

constexpr std::string_view to_string(DataType type) { return data_types[static_cast<std::size_t>(type)]; }

constexpr std::string_view torch_name(DataType type) {
    constexpr std::array<std::string_view, 3> names = {"torch.float32", "torch.float16", "torch.bfloat16"};
    return names[static_cast<std::size_t>(type)];
}

/// A type by any of the names that DeepSpeed's DtypeEnum has for it.
constexpr std::optional<DataType> data_type_named(std::string_view name) {
    if (name.starts_with("torch.")) name.remove_prefix(6);
    if (name == "fp32" || name == "float32" || name == "float") return DataType::fp32;
    if (name == "fp16" || name == "float16" || name == "half") return DataType::fp16;
    if (name == "bf16" || name == "bfloat16") return DataType::bf16;
    return std::nullopt;
}

struct DeepSpeedFP16Config {
    bool enabled = false;
    bool auto_cast = false;
    double loss_scale = 0;  ///< 0: dynamic
    std::int64_t initial_scale_power = 16;
    std::int64_t loss_scale_window = 1000;
    std::int64_t hysteresis = 2;
    bool consecutive_hysteresis = false;
    std::int64_t min_loss_scale = 1;
    bool fp16_master_weights_and_grads = false;

    bool operator==(const DeepSpeedFP16Config&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedFP16Config> = "DeepSpeedFP16Config";

struct DeepSpeedBF16Config {
    bool enabled = false;
    bool immediate_grad_update = false;
    bool check_grad_overflow = true;
    bool bf16_master_weights_and_grads = false;
    bool bf16_optimizer_states = false;

    bool operator==(const DeepSpeedBF16Config&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedBF16Config> = "DeepSpeedBF16Config";

/// The section data_types. DeepSpeed looks at the words only when it uses them.
struct DataTypesConfig {
    Plain<std::optional<std::string>> grad_accum_dtype;  ///< empty: the model's type
    Plain<std::optional<std::string>> param_dtype;       ///< empty: chosen by fp16 and bf16
    Plain<std::optional<std::string>> buffer_dtype;      ///< empty: as loaded
    Json keep_in_fp32_modules = json_string("auto");     ///< "auto" or a list of name patterns

    bool operator==(const DataTypesConfig& other) const {
        return grad_accum_dtype == other.grad_accum_dtype && param_dtype == other.param_dtype &&
               buffer_dtype == other.buffer_dtype && equal(keep_in_fp32_modules, other.keep_in_fp32_modules);
    }
};
template <>
inline constexpr std::string_view section_name<DataTypesConfig> = "data_types";

}  // namespace dszero
