// SPDX-License-Identifier: MIT
//
// The section leaf_module: modules that ZeRO 3 fetches as a whole.
// Source: deepspeed/runtime/zero/leaf_module_config.py, 0.18.0 to 0.19.8.
#pragma once

#include <dszero/config/section_of.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace dszero {

/// Made once and then copied, for fewer allocations.
inline const std::vector<std::string>& default_leaf_module_classes() {
    static const std::vector<std::string> classes = {
        "transformers.models.mixtral.modeling_mixtral.MixtralSparseMoeBlock",
        "transformers.models.qwen2_moe.modeling_qwen2_moe.Qwen2MoeSparseMoeBlock",
        "transformers.models.qwen3_moe.modeling_qwen3_moe.Qwen3MoeSparseMoeBlock",
    };
    return classes;
}

struct DeepSpeedZeroLeafModuleConfig {
    std::vector<std::string> classes = default_leaf_module_classes();
    std::vector<std::string> names;
    std::vector<std::string> name_suffixes;

    bool operator==(const DeepSpeedZeroLeafModuleConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedZeroLeafModuleConfig> =
    "DeepSpeedZeroLeafModuleConfig";

}  // namespace dszero
