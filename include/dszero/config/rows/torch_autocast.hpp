// SPDX-License-Identifier: MIT
//
// Rows of sections/torch_autocast.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>
#include <dszero/config/rows/precision.hpp>
#include <dszero/config/sections/torch_autocast.hpp>

#include <array>
#include <optional>
#include <string>

namespace dszero {

/// A number type by one of the names that DeepSpeed has for it; the name that torch has.
inline bool read_autocast_dtype(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    auto& dtype = *static_cast<std::optional<std::string>*>(member);
    if (value.json->is_string()) {
        const std::string& word = string_in(*value.json);
        if (word == "int8" || word == "torch.int8")
            dtype = "torch.int8";
        else if (const auto type = data_type_named(word))
            dtype = torch_name(*type);
        else
            dtype.reset();
        if (dtype) return true;
    }
    r.check = "torch_autocast_dtype";
    r.error("wrong-value", path, r.value_span(value),
            "dtype must be a number type such as \"bfloat16\" or \"fp16\", got " + r.shown(value));
    return false;
}
inline constexpr MemberType autocast_dtype = {"a number type", "[\"bfloat16\"|\"float16\"|...]",
                                              read_autocast_dtype, write_optional<std::string, write_string>};

/// A list of strings; Python takes a text or a dictionary for one of its characters or keys.
inline bool read_safe_modules(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    const Json& json = *value.json;
    if (!json.is_structured() && !json.is_string())
        return refuse_shape("torch_autocast", "a list of strings", value, r, path);
    if (json.is_array())
        for (const Member& element : r.members_of(value)) {
            if (element.value.json->is_string()) continue;
            r.check = "torch_autocast_modules";
            r.error("wrong-type", path, r.value_span(element.value),
                    "lower_precision_safe_modules must hold strings only, got " + r.shown(element.value));
            return false;
        }
    *static_cast<Json*>(member) = kept(value, r);
    return true;
}
inline constexpr MemberType safe_modules = {"a list of strings", "[string, ...]", read_safe_modules,
                                            write_object};

template <>
struct schema<TorchAutocastConfig> {
    using C = TorchAutocastConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Runs the model under torch.autocast."}),
        field(
            &C::dtype,
            {.name = "dtype", .doc = "The type to cast to; empty: torch's choice.", .type = &autocast_dtype}),
        field(&C::lower_precision_safe_modules,
              {.name = "lower_precision_safe_modules",
               .doc = "Classes of modules whose parameters are kept in that type.",
               .type = &safe_modules}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

template <>
inline constexpr MemberType member_type<TorchAutocastConfig> = plain_section<TorchAutocastConfig>;

}  // namespace dszero
