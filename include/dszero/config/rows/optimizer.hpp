// SPDX-License-Identifier: MIT
//
// Rows of optimizer.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/field.hpp>
#include <dszero/config/member_types.hpp>
#include <dszero/config/optimizer.hpp>
#include <dszero/config/section.hpp>

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

/// DeepSpeed's own optimizers go by any case, and are kept in lower case; others are torch's.
inline bool is_deepspeeds_optimizer(std::string_view lower, Release release) {
    constexpr struct {
        std::string_view name;
        Release since = oldest_release, until = still_there;
    } own[] = {{"adagrad"},
               {"adam"},
               {"adamw"},
               {"lamb"},
               {"onebitadam", oldest_release, "0.19.7"},
               {"zerooneadam", oldest_release, "0.19.7"},
               {"onebitlamb", oldest_release, "0.19.7"},
               {"muadam", "0.10.2"},
               {"muadamw", "0.10.2"},
               {"musgd", "0.10.2"},
               {"lion", "0.11.0"},
               {"muon", "0.17.6"}};
    for (const auto& optimizer : own)
        if (lower == optimizer.name) return optimizer.since <= release && release < optimizer.until;
    return false;
}

inline bool read_optimizer_name(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    auto& name = *static_cast<std::optional<std::string>*>(member);
    if (value.json->is_null()) {
        name.reset();
        return true;
    }
    if (!value.json->is_string()) return refuse_shape("optimizer", "a string", value, r, path);
    std::string lower = to_lower(string_in(*value.json));
    const bool own = is_deepspeeds_optimizer(lower, r.behaviour.release);
    name = own ? std::move(lower) : string_in(*value.json);
    return true;
}
inline constexpr MemberType optimizer_name = {"a string or null", "string", read_optimizer_name,
                                              write_optional<std::string, write_string>};

template <>
struct schema<OptimizerConfig> {
    using C = OptimizerConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::type, {.name = "optimizer_name",
                         .alias = "type",
                         .doc = "The optimizer's name: Adam, AdamW, Adagrad, Lion, SGD, …",
                         .type = &optimizer_name}),
        field(&C::params, {.name = "optimizer_params",
                           .alias = "params",
                           .doc = "What its constructor takes: lr, betas, eps, weight_decay, …",
                           .type = &anything}),
        field(&C::legacy_fusion, {.name = "optimizer_legacy_fusion",
                                  .alias = "legacy_fusion",
                                  .doc = "Uses the first fused fp16 optimizer."}),
    };
    static constexpr std::array<Check, 0> checks{};
};

template <>
inline constexpr MemberType member_type<OptimizerConfig> = named_section<OptimizerConfig>;

}  // namespace dszero
