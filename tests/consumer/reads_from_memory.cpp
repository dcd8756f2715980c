// SPDX-License-Identifier: MIT
#include <dszero/dszero.hpp>
#include <nlohmann/json.hpp>

int stage_in(const nlohmann::json& section) {
    return static_cast<int>(section.get<dszero::DeepSpeedZeroConfig>().stage);
}
