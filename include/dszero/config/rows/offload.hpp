// SPDX-License-Identifier: MIT
//
// Rows of offload.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/offload.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace dszero {

inline bool read_device(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (!value.json->is_string()) return refuse(Refusal::kind, value, row, r, path);
    const std::string& word = string_in(*value.json);
    Nearest nearest(word);
    for (std::size_t i = 0; i < offload_devices.size(); ++i) {
        nearest.consider(offload_devices[i]);
        if (word != offload_devices[i]) continue;
        *static_cast<OffloadDeviceEnum*>(member) = static_cast<OffloadDeviceEnum>(i);
        return true;
    }
    if (nearest.name().empty()) return refuse(Refusal::kind, value, row, r, path);
    const std::string right = '"' + std::string(nearest.name()) + '"';
    r.error("wrong-value", path, r.value_span(value),
            std::string(path.key) + " must be " + std::string(row.type->expected) + ", got " + r.shown(value),
            "write " + right)
        .replacement = Replacement{r.value_span(value), right};
    return false;
}
inline Json write_device(const void* member, const Writing&) {
    return json_string(to_string(*static_cast<const OffloadDeviceEnum*>(member)));
}

template <>
inline constexpr MemberType member_type<OffloadDeviceEnum> = {
    "\"none\", \"cpu\" or \"nvme\"", "[\"none\"|\"cpu\"|\"nvme\"]", read_device, write_device};

template <>
struct schema<DeepSpeedZeroOffloadParamConfig> {
    using C = DeepSpeedZeroOffloadParamConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::device,
              {.name = "device", .doc = "Where parameters are kept; none leaves them on the device."}),
        field(&C::nvme_path,
              {.name = "nvme_path", .doc = "Folder on the NVMe disk; needed when device is nvme."}),
        field(&C::buffer_count,
              {.name = "buffer_count",
               .doc = "Buffers in the pool that parameters pass through on their way from NVMe.",
               .at_least = 0}),
        field(&C::buffer_size,
              {.name = "buffer_size",
               .doc = "Size of each of these buffers; the largest parameter partition must fit.",
               .unit = Unit::elements,
               .at_least = 0}),
        field(&C::max_in_cpu, {.name = "max_in_cpu",
                               .doc = "Parameter elements that stay in host memory although NVMe is used.",
                               .unit = Unit::elements,
                               .at_least = 0}),
        field(&C::pin_memory, {.name = "pin_memory",
                               .doc = "Keeps offloaded data in page-locked host memory.",
                               .before = {.release = "0.19.5", .preset = false}}),
    };
    static constexpr std::array<Check, 0> checks{};
};

inline void set_pipeline(Checking& c) {
    auto& config = c.object<DeepSpeedZeroOffloadOptimizerConfig>();
    config.pipeline = config.pipeline_read || config.pipeline_write;
}

template <>
struct schema<DeepSpeedZeroOffloadOptimizerConfig> {
    using C = DeepSpeedZeroOffloadOptimizerConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::device,
              {.name = "device",
               .doc = "Where optimizer states are kept; the update runs on the CPU unless none."}),
        field(&C::nvme_path,
              {.name = "nvme_path", .doc = "Folder on the NVMe disk; needed when device is nvme."}),
        field(&C::buffer_count, {.name = "buffer_count",
                                 .doc = "Buffers in the pool that states pass through; at least one for each "
                                        "state of the optimizer.",
                                 .at_least = 0}),
        field(&C::pin_memory, {.name = "pin_memory",
                               .doc = "Keeps offloaded data in page-locked host memory.",
                               .before = {.release = "0.19.5", .preset = false}}),
        field(&C::pipeline_read,
              {.name = "pipeline_read", .doc = "Reads the next tile while the current one is computed."}),
        field(&C::pipeline_write, {.name = "pipeline_write",
                                   .doc = "Writes the previous tile while the current one is computed."}),
        field(&C::fast_init,
              {.name = "fast_init", .doc = "Fast initialisation of states that live on NVMe."}),
        field(&C::ratio, {.name = "ratio",
                          .doc = "Share of the optimizer states that is offloaded; below 1 at stage 3 only.",
                          .at_least = 0.0,
                          .at_most = 1.0,
                          .since = "0.12.3"}),
        field(&C::super_offload, {.name = "super_offload",
                                  .doc = "Fast CPU offload for superchips; stage 3 only.",
                                  .since = "0.18.0"}),
        field(&C::cpuadam_cores_perc,
              {.name = "cpuadam_cores_perc",
               .doc = "Share of the CPU cores that CPU Adam takes under super_offload.",
               .at_least = 0.0,
               .at_most = 1.0,
               .since = "0.18.0"}),
        field(&C::pipeline, {.name = "pipeline",
                             .doc = "Whether states are read or written ahead.",
                             .derived = "it is worked out: pipeline_read or pipeline_write",
                             .is_key = false}),
    };
    static constexpr std::array checks = {
        Check{"set_pipeline", "pipeline is pipeline_read or pipeline_write", set_pipeline},
    };
};

template <>
inline constexpr MemberType member_type<std::optional<DeepSpeedZeroOffloadParamConfig>> =
    optional_section_type<DeepSpeedZeroOffloadParamConfig>;
template <>
inline constexpr MemberType member_type<std::optional<DeepSpeedZeroOffloadOptimizerConfig>> =
    optional_section_type<DeepSpeedZeroOffloadOptimizerConfig>;

}  // namespace dszero
