// SPDX-License-Identifier: MIT
//
// Rows of precision.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/precision.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dszero {

/// bf16 also goes by bfloat16, which is read where bf16 is absent or null; before 0.17.1, where it is absent.
inline bool is_hidden_by_bf16(const Row& row, const Reading& r) {
    if (row.key() != "bfloat16" || !r.document) return false;
    const Member* newer = find_member(*r.document, "bf16");
    return newer && !(r.behaviour.models_precision && newer->value.json->is_null());
}

/// Before 0.17.1 these sections are dictionaries in which DeepSpeed looks things up: what does not fit is
/// noticed when training starts, and a flag is on where Python finds it true.
inline bool read_precision(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (is_hidden_by_bf16(row, r)) return true;
    if (r.behaviour.models_precision) {
        if (value.json->is_null() && row.key() == "bf16") return true;
        const bool taken = read_modelled(member, value, row, r, path);
        if (row.key() == "bfloat16") r.check = r.check.empty() ? "section:bf16" : "shape:bf16";
        return taken;
    }
    if (!value.json->is_object()) return refuse_shape(row.key(), "an object", value, r, path);
    const std::size_t from = r.diagnostics.size();
    read_modelled(member, value, row, r, path);
    for (std::size_t i = from; i < r.diagnostics.size(); ++i) {
        Diagnostic& d = r.diagnostics[i];
        if (d.severity != Severity::error) continue;
        d.severity = Severity::warning;
        d.message += " (this release notices only when it trains)";
    }
    r.check.clear();
    const Section& section = *row.type->section;
    const Members members = r.members_of(value);
    for (const std::string_view flag : {"enabled", "fp16_master_weights_and_grads"}) {
        const Member* given = find_member(members, flag);
        const Row* flag_row = given ? find_row(section, flag) : nullptr;
        if (!flag_row) continue;
        *static_cast<bool*>(section.member(member, *flag_row)) =
            is_truthy(*given->value.json) &&
            !(r.circumstances.caller != Caller::deepspeed && is_word(*given->value.json, "auto"));
    }
    return true;
}

/// Reads texts as Python's own int() and float() do, which pydantic 1 asks too.
inline constexpr Behaviour python{Release("0.14.5")};

/// From 0.18.8 on a text is given to float() before pydantic sees it.
inline bool read_loss_scale(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    const bool by_python = value.json->is_string() && r.behaviour.release >= Release("0.18.8");
    const auto number = by_python ? real_in_string(string_in(*value.json), python) : Coerced<double>{};
    if (!by_python || !number) return read_real(member, value, row, r, path);
    if (!check_bounds(number.value, value, row, r, path)) return false;
    *static_cast<double*>(member) = number.value;
    return true;
}
inline constexpr MemberType loss_scale_type = {"a number", "number", read_loss_scale, write_real};

/// These must be numbers: pydantic would otherwise take true for 1.
inline void require_number(Checking& c, std::string_view name) {
    const Given& given = c.field(name);
    if (!given.passed || !given.present) return;
    const Json& json = *given.value.json;
    const bool infinite =
        json.is_number_float() && !std::isfinite(*json.get_ptr<const Json::number_float_t*>());
    const bool no_int =
        name != "loss_scale" && json.is_string() && !integer_in_string(string_in(json), python);
    if (!json.is_boolean() && !infinite && !no_int) return;
    c.fail_at(name, "wrong-type", c.reading.value_span(given.value),
              std::string(name) + " must be a finite number, got " + c.reading.shown(given.value));
}
inline void loss_scale_is_a_number(Checking& c) {
    require_number(c, "loss_scale");
    const Given& given = c.field("loss_scale");
    if (given.value.json && given.value.json->is_string() &&
        !std::isfinite(c.object<DeepSpeedFP16Config>().loss_scale))
        c.fail_at("loss_scale", "wrong-type", c.reading.value_span(given.value),
                  "loss_scale must be a finite number, got " + c.reading.shown(given.value));
}
inline void scale_params_are_integers(Checking& c) {
    require_number(c, "loss_scale_window");
    require_number(c, "min_loss_scale");
}
inline void dynamic_loss_scale_works(Checking& c) {
    const auto& config = c.object<DeepSpeedFP16Config>();
    if (!config.enabled || config.loss_scale != 0) return;
    const auto positive = [&](std::string_view name, std::int64_t number) {
        if (number > 0) return true;
        c.fail("out-of-bounds", c.reading.value_span(c.field(name).value),
               std::string(name) + " must be greater than 0 with a dynamic loss scale, got " +
                   std::to_string(number));
        return false;
    };
    if (positive("loss_scale_window", config.loss_scale_window))
        positive("min_loss_scale", config.min_loss_scale);
}

template <>
struct schema<DeepSpeedFP16Config> {
    using C = DeepSpeedFP16Config;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Trains in fp16, with fp32 master weights."}),
        field(&C::auto_cast, {.name = "auto_cast", .doc = "Casts the model's inputs to fp16."}),
        field(&C::loss_scale, {.name = "loss_scale",
                               .doc = "A fixed loss scale; 0 adjusts it while training.",
                               .at_least = 0.0,
                               .before = {.release = "0.18.8"},
                               .type = &loss_scale_type}),
        field(&C::initial_scale_power, {.name = "initial_scale_power",
                                        .doc = "The dynamic scale starts at 2 to this power.",
                                        .before = {.release = "0.8.0", .preset = 32}}),
        field(&C::loss_scale_window,
              {.name = "loss_scale_window", .doc = "Steps without overflow after which the scale doubles."}),
        field(&C::hysteresis, {.name = "hysteresis", .doc = "Overflows that it takes to halve the scale."}),
        field(&C::consecutive_hysteresis, {.name = "consecutive_hysteresis",
                                           .doc = "A step without overflow forgets those before.",
                                           .since = "0.9.3"}),
        field(&C::min_loss_scale,
              {.name = "min_loss_scale", .doc = "Training ends where the scale would go below."}),
        field(&C::fp16_master_weights_and_grads, {.name = "fp16_master_weights_and_grads",
                                                  .doc = "Keeps master weights and gradients in fp16 too."}),
    };
    static constexpr std::array checks = {
        Check{"_validate_loss_scale", "loss_scale is a finite number", loss_scale_is_a_number, "0.18.8",
              still_there, Phase::fields},
        Check{"_reject_non_integer_scale_params", "loss_scale_window and min_loss_scale are numbers",
              scale_params_are_integers, "0.19.3", still_there, Phase::fields},
        Check{"_validate_dynamic_loss_scale_params", "a dynamic scale needs a positive window and minimum",
              dynamic_loss_scale_works, "0.19.3"},
    };
    static_assert(no_name_twice(rows));
};

template <>
struct schema<DeepSpeedBF16Config> {
    using C = DeepSpeedBF16Config;
    static constexpr Container container = Container::pydantics_choice;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Trains in bf16, with fp32 master weights."}),
        field(&C::immediate_grad_update,
              {.name = "immediate_grad_update",
               .doc = "Adds each gradient to the fp32 sum as backward produces it.",
               .since = "0.13.3"}),
        field(&C::check_grad_overflow, {.name = "check_grad_overflow",
                                        .doc = "Skips a step whose gradients are not all finite.",
                                        .since = "0.17.1",
                                        .before = {.release = "0.19.3", .preset = false}}),
        field(&C::bf16_master_weights_and_grads, {.name = "bf16_master_weights_and_grads",
                                                  .doc = "Keeps master weights and gradients in bf16 too.",
                                                  .since = "0.18.3"}),
        field(&C::bf16_optimizer_states, {.name = "bf16_optimizer_states",
                                          .doc = "Keeps optimizer states in bf16, if master weights are too.",
                                          .since = "0.18.3"}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<DeepSpeedFP16Config> = {"an object",
                                                                "{...}",
                                                                read_precision,
                                                                write_nested<DeepSpeedFP16Config>,
                                                                &section<DeepSpeedFP16Config>,
                                                                [](const void* member) { return member; }};
template <>
inline constexpr MemberType member_type<DeepSpeedBF16Config> = {"an object or null",
                                                                "{...}",
                                                                read_precision,
                                                                write_nested<DeepSpeedBF16Config>,
                                                                &section<DeepSpeedBF16Config>,
                                                                [](const void* member) { return member; }};

/// "auto" or a list of strings; DeepSpeedConfigError for all else.
inline bool read_module_patterns(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    bool strings = value.json->is_array();
    for (const Member& element : r.members_of(value)) strings = strings && element.value.json->is_string();
    if (!strings && !is_word(*value.json, "auto")) {
        r.check = "keep_in_fp32_modules";
        r.error("wrong-type", path, r.value_span(value),
                "keep_in_fp32_modules must be \"auto\" or a list of name patterns, got " + r.shown(value));
        return false;
    }
    *static_cast<Json*>(member) = *value.json;
    return true;
}
inline constexpr MemberType module_patterns = {"\"auto\" or a list of strings", "[\"auto\"|[string, ...]]",
                                               read_module_patterns, write_object};

template <>
struct schema<DataTypesConfig> {
    using C = DataTypesConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::grad_accum_dtype, {.name = "grad_accum_dtype",
                                     .doc = "The type that gradients are summed up in over micro-steps.",
                                     .derived = "it is the model's type"}),
        field(&C::param_dtype,
              {.name = "param_dtype", .doc = "The type of the model's parameters.", .since = "0.19.2"}),
        field(&C::buffer_dtype,
              {.name = "buffer_dtype", .doc = "The type of the model's buffers.", .since = "0.19.2"}),
        field(&C::keep_in_fp32_modules, {.name = "keep_in_fp32_modules",
                                         .doc = "Modules whose buffers stay in fp32 under fp16 and bf16.",
                                         .since = "0.19.8",
                                         .type = &module_patterns}),
    };
    static constexpr std::array<Check, 0> checks{};
};
template <>
inline constexpr MemberType member_type<DataTypesConfig> = plain_section<DataTypesConfig>;

/// A type by the word that a release wants; before 0.14.1 that for bf16 is "bfp16".
inline std::string_view communication_word(DataType type, Release release) {
    return type == DataType::bf16 && release < Release("0.14.1") ? "bfp16" : to_string(type);
}

/// A type that gradients are sent in: null or one of three words, in any case.
inline bool read_data_type(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    auto& type = *static_cast<std::optional<DataType>*>(member);
    type.reset();
    if (value.json->is_null()) return true;
    if (!value.json->is_string())
        return refuse_shape("communication_data_type", row.type->expected, value, r, path);
    const std::string lower = to_lower(string_in(*value.json));
    for (const DataType each : {DataType::fp32, DataType::fp16, DataType::bf16})
        if (lower == communication_word(each, r.behaviour.release)) type = each;
    if (type) return true;
    r.check = "communication_data_type";
    const bool is_bf16 = lower == to_string(DataType::bf16);
    r.error("wrong-value", path, r.value_span(value),
            std::string(path.key) + " must be " +
                (is_bf16 ? "\"fp16\", \"bfp16\" (so spelled), \"fp32\" or null"
                         : std::string(row.type->expected)) +
                ", got " + r.shown(value),
            is_bf16 ? "write \"bfp16\", which is what this release reads" : "");
    return false;
}
inline Json write_data_type(const void* member, const Writing& w) {
    const auto& type = *static_cast<const std::optional<DataType>*>(member);
    if (!type) return Json();
    return json_string(w.attributes ? torch_name(*type) : communication_word(*type, w.release));
}

template <>
inline constexpr MemberType member_type<std::optional<DataType>> = {
    .expected = "\"fp16\", \"bf16\", \"fp32\" or null",
    .format = "[\"fp16\"|\"bf16\"|\"fp32\"]",
    .read = read_data_type,
    .write = write_data_type,
    .any_case = true};

}  // namespace dszero
