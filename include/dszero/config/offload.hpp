// SPDX-License-Identifier: MIT
//
// The sections offload_param and offload_optimizer: what leaves the device, and where it goes.
// Source: deepspeed/runtime/zero/offload_config.py, 0.7.0 to 0.19.8.
#pragma once

#include <dszero/config/section_of.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

enum class OffloadDeviceEnum : unsigned char { none, cpu, nvme };

/// Where parameters live at stage 3.
struct DeepSpeedZeroOffloadParamConfig {
    OffloadDeviceEnum device = OffloadDeviceEnum::none;
    std::optional<std::string> nvme_path;
    std::int64_t buffer_count = 5;
    std::int64_t buffer_size = 100'000'000;   ///< elements
    std::int64_t max_in_cpu = 1'000'000'000;  ///< elements
    bool pin_memory = true;

    bool operator==(const DeepSpeedZeroOffloadParamConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedZeroOffloadParamConfig> =
    "DeepSpeedZeroOffloadParamConfig";

/// Where optimizer states live, at stages 1 to 3.
struct DeepSpeedZeroOffloadOptimizerConfig {
    OffloadDeviceEnum device = OffloadDeviceEnum::none;
    std::optional<std::string> nvme_path;
    std::int64_t buffer_count = 4;
    bool pin_memory = true;
    bool pipeline_read = false;
    bool pipeline_write = false;
    bool fast_init = false;
    double ratio = 1.0;
    bool super_offload = false;
    double cpuadam_cores_perc = 0.8;
    bool pipeline = false;  ///< pipeline_read or pipeline_write

    bool operator==(const DeepSpeedZeroOffloadOptimizerConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<DeepSpeedZeroOffloadOptimizerConfig> =
    "DeepSpeedZeroOffloadOptimizerConfig";

constexpr std::array<std::string_view, 3> offload_devices = {"none", "cpu", "nvme"};

constexpr std::string_view to_string(OffloadDeviceEnum device) {
    return offload_devices[static_cast<std::size_t>(device)];
}

}  // namespace dszero
