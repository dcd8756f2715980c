// SPDX-License-Identifier: MIT
//
// Rows of sections/monitor.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/sections/monitor.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace dszero {

template <>
struct schema<TensorBoardConfig> {
    using C = TensorBoardConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Logs to TensorBoard."}),
        field(&C::output_path, {.name = "output_path",
                                .doc = "Folder of the logs; by default below the script's.",
                                .type = &text_type}),
        field(&C::job_name,
              {.name = "job_name", .doc = "Folder of this job in output_path.", .type = &text_type}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<WandbConfig> {
    using C = WandbConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Logs to Weights & Biases."}),
        field(&C::group, {.name = "group", .doc = "Groups runs together.", .type = &optional_text_type}),
        field(&C::team, {.name = "team", .doc = "Who the project belongs to.", .type = &optional_text_type}),
        field(&C::project, {.name = "project", .doc = "The project's name.", .type = &text_type}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<CSVConfig> {
    using C = CSVConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Logs to CSV files."}),
        field(&C::output_path, {.name = "output_path",
                                .doc = "Folder of the files; by default below the script's.",
                                .type = &text_type}),
        field(&C::job_name,
              {.name = "job_name", .doc = "Folder of this job in output_path.", .type = &text_type}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<CometConfig> {
    using C = CometConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Logs to Comet."}),
        field(&C::samples_log_interval,
              {.name = "samples_log_interval", .doc = "Logs once in so many samples."}),
        field(&C::project, {.name = "project", .doc = "The project's name.", .type = &optional_text_type}),
        field(&C::workspace,
              {.name = "workspace", .doc = "The workspace's name.", .type = &optional_text_type}),
        field(&C::api_key, {.name = "api_key", .doc = "The key to Comet.", .type = &optional_text_type}),
        field(&C::experiment_name,
              {.name = "experiment_name", .doc = "The experiment's name.", .type = &optional_text_type}),
        field(&C::experiment_key, {.name = "experiment_key",
                                   .doc = "The experiment's key, 32 to 50 characters.",
                                   .type = &optional_text_type}),
        field(&C::online, {.name = "online", .doc = "Logs to the server, not to a local file."}),
        field(&C::mode, {.name = "mode",
                         .doc = "How the experiment starts: get, create or get_or_create.",
                         .type = &optional_text_type}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
struct schema<CommsLoggerConfig> {
    using C = CommsLoggerConfig;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Logs collective operations."}),
        field(&C::prof_all, {.name = "prof_all", .doc = "Logs all of them."}),
        field(&C::prof_ops, {.name = "prof_ops", .doc = "Which, where not all.", .type = &list_type}),
        field(&C::verbose, {.name = "verbose", .doc = "Logs each as it happens."}),
        field(&C::debug, {.name = "debug", .doc = "Adds the name of the function that asked for it."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

/// A section inside DeepSpeedMonitorConfig: pydantic reports what is wrong with all four at once, and drops
/// one that is "auto".
inline bool read_monitor(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (is_word(*value.json, "auto")) return true;
    r.check = "section:monitor";
    const Path root{.is_root = true};
    const Path at{.parent = &root, .key = path.key};
    const std::size_t from = r.diagnostics.size();
    read_section(*row.type->section, member, value, row, r, at);
    if (r.has_aborted()) r.check = "shape:monitor";
    r.settle_abort(at, from);
    return !r.has_errors_since(from);
}
template <HasSchema T>
inline constexpr MemberType monitor_section = {"an object",  "{...}",
                                               read_monitor, write_nested<T>,
                                               &section<T>,  [](const void* member) { return member; }};
template <>
inline constexpr MemberType member_type<TensorBoardConfig> = monitor_section<TensorBoardConfig>;
template <>
inline constexpr MemberType member_type<WandbConfig> = monitor_section<WandbConfig>;
template <>
inline constexpr MemberType member_type<CSVConfig> = monitor_section<CSVConfig>;
template <>
inline constexpr MemberType member_type<CometConfig> = monitor_section<CometConfig>;

/// Before 0.15.0 its model is pydantic's own, which drops no "auto".
inline bool read_comms_logger(void* member, const Value& value, const Row& row, Reading& r,
                              const Path& path) {
    const std::size_t from = r.diagnostics.size();
    if (!r.behaviour.pydantic_2 && value.json->is_object())
        for (const Member& inner : r.members_of(value))
            if (is_word(*inner.value.json, "auto") || inner.key == "strict")
                r.error(inner.key == "strict" ? "unknown-key" : "wrong-type",
                        Path{.parent = &path, .key = inner.key}, r.value_span(inner.value),
                        std::string(inner.key) + " cannot be " + r.shown(inner.value));
    auto& config = *static_cast<std::optional<CommsLoggerConfig>*>(member);
    return read_modelled(&config.emplace(), value, row, r, path) && !r.has_errors_since(from);
}
template <>
inline constexpr MemberType member_type<std::optional<CommsLoggerConfig>> =
    optional_section<CommsLoggerConfig>("an object", read_comms_logger);

}  // namespace dszero
