// SPDX-License-Identifier: MIT
//
// The section optimizer. DeepSpeed hands `params` to the optimizer's class as they are;
// optimizer_params.hpp has their types.
// Source: deepspeed/runtime/config.py.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace dszero {

struct OptimizerConfig {
    std::optional<std::string> type;  ///< empty: none
    Json params = json_object();      ///< null where the document has none
    Plain<bool> legacy_fusion = false;

    bool operator==(const OptimizerConfig& other) const {
        return type == other.type && equal(params, other.params) && legacy_fusion == other.legacy_fusion;
    }
};
template <>
inline constexpr std::string_view section_name<OptimizerConfig> = "optimizer";

}  // namespace dszero
