// SPDX-License-Identifier: MIT
//
// The section leaf_module: modules that ZeRO 3 fetches as a whole.
// Source: deepspeed/runtime/zero/leaf_module_config.py, 0.18.0 to 0.19.8.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

struct DeepSpeedZeroLeafModuleConfig {
    std::vector<std::string> classes = {
        "transformers.models.mixtral.modeling_mixtral.MixtralSparseMoeBlock",
        "transformers.models.qwen2_moe.modeling_qwen2_moe.Qwen2MoeSparseMoeBlock",
        "transformers.models.qwen3_moe.modeling_qwen3_moe.Qwen3MoeSparseMoeBlock",
    };
    std::vector<std::string> names;
    std::vector<std::string> name_suffixes;

    bool operator==(const DeepSpeedZeroLeafModuleConfig&) const = default;
};

/// Drops repetitions, keeping the first.
inline void drop_repetitions(std::vector<std::string>& list) {
    nlohmann::json::object_t seen;  // a map that is compiled anyway
    std::vector<std::string> once;
    for (std::string& entry : list)
        if (seen.emplace(entry, nullptr).second) once.push_back(std::move(entry));
    list = std::move(once);
}

inline void validate_entries(Checking& c) {
    auto& config = c.object<DeepSpeedZeroLeafModuleConfig>();
    drop_repetitions(config.classes);
    drop_repetitions(config.names);
    drop_repetitions(config.name_suffixes);
}

template <>
struct schema<DeepSpeedZeroLeafModuleConfig> {
    using C = DeepSpeedZeroLeafModuleConfig;
    static constexpr std::string_view name = "DeepSpeedZeroLeafModuleConfig";
    static constexpr Container container = Container::its_own;
    static constexpr std::array rows = {
        field(&C::classes,
              {.name = "classes", .doc = "Classes of such modules, by name or full path.", .since = "0.18.0"}),
        field(&C::names, {.name = "names", .doc = "Full names of such modules.", .since = "0.18.0"}),
        field(&C::name_suffixes,
              {.name = "name_suffixes", .doc = "Ends of the names of such modules.", .since = "0.18.0"}),
    };
    static constexpr std::array checks = {
        Check{"_validate_entries", "repeated entries count once", validate_entries},
    };
};

template <>
inline constexpr MemberType member_type<DeepSpeedZeroLeafModuleConfig> = section_type<DeepSpeedZeroLeafModuleConfig>;

}  // namespace dszero
