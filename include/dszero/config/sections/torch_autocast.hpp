// SPDX-License-Identifier: MIT
//
// The section torch_autocast: PyTorch's mixed precision.
// Source: get_torch_autocast_enabled and its neighbours in deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/section_of.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct TorchAutocastConfig {
    Plain<bool> enabled;
    std::optional<std::string> dtype;
    Json lower_precision_safe_modules;
};
template <>
inline constexpr std::string_view section_name<TorchAutocastConfig> = "torch_autocast";

inline bool operator==(const TorchAutocastConfig& a, const TorchAutocastConfig& b) {
    return equal_sections(section_of<TorchAutocastConfig>(), &a, &b);
}

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/rows/torch_autocast.hpp>
#endif
