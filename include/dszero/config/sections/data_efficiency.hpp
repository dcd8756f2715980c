// SPDX-License-Identifier: MIT
//
// The section data_efficiency: curriculum learning, dynamic batching, random layerwise token dropping.
// Source: deepspeed/runtime/data_pipeline/config.py.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/model_types.hpp>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

namespace dszero {

struct DataEfficiencyConfig {
    Plain<bool> enabled;
    Plain<std::int64_t> seed = 1234;
    Json data_sampling = json_object();
    Json data_routing = json_object();
};

/// The section `key` of `members`, if it is there: false, and reported, unless it is an object.
inline bool open_inner(const Members& members, std::string_view key, const Path& above, Reading& r,
                       Members& inner) {
    inner = Members();
    const Member* member = find_member(members, key);
    if (!member) return true;
    if (!member->value.json->is_object())
        return refuse_shape("data_efficiency", "an object", member->value, r,
                            Path{.parent = &above, .key = key});
    inner = r.members_of(member->value);
    return true;
}
inline bool is_on(const Members& members) {
    const Member* enabled = find_member(members, "enabled");
    return enabled && is_truthy(*enabled->value.json);
}
/// Reports a key that is missing although the section is enabled. Always false.
inline bool refuse_missing(std::string_view check, std::string_view key, const Members& members, Reading& r,
                           const Path& path) {
    r.check = check;
    r.error("missing-key", path, r.key_span(find_member(members, "enabled")->value),
            std::string(path.key) + " is enabled without " + std::string(key), "give " + std::string(key));
    return false;
}
/// Python's int() takes it.
inline bool is_made_an_integer(const Members& members, std::string_view key, Reading& r, const Path& path) {
    const Member* member = find_member(members, key);
    if (!member || to_integer(*member->value.json, r.spelling(member->value), Behaviour("0.14.5")))
        return true;
    return refuse_shape("data_efficiency", "an integer", member->value, r, Path{.parent = &path, .key = key});
}

inline bool read_data_sampling(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    if (!value.json->is_object()) return refuse_shape("data_efficiency", "an object", value, r, path);
    *static_cast<Json*>(member) = kept(value, r);
    const Members sampling = r.members_of(value);
    Members inner;
    const Path curriculum{.parent = &path, .key = "curriculum_learning"};
    if (!open_inner(sampling, curriculum.key, path, r, inner)) return false;
    if (is_on(inner) && !find_member(inner, "curriculum_metrics"))
        return refuse_missing("curriculum_metrics_missing", "curriculum_metrics", inner, r, curriculum);
    if (r.behaviour.release < Release("0.16.5")) return true;
    const Path batching{.parent = &path, .key = "dynamic_batching"};
    if (!open_inner(sampling, batching.key, path, r, inner)) return false;
    if (!is_made_an_integer(inner, "min_batch_size", r, batching)) return false;
    if (!is_made_an_integer(inner, "max_batch_size", r, batching)) return false;
    if (!is_on(inner)) return true;
    if (!find_member(inner, "max_tokens"))
        return refuse_missing("dynamic_batching_tokens_missing", "max_tokens", inner, r, batching);
    return is_made_an_integer(inner, "max_tokens", r, batching);
}
inline bool read_data_routing(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    if (!value.json->is_object()) return refuse_shape("data_efficiency", "an object", value, r, path);
    *static_cast<Json*>(member) = kept(value, r);
    Members inner;
    return open_inner(r.members_of(value), "random_ltd", path, r, inner);
}
inline constexpr MemberType data_sampling = {"an object", "{...}", read_data_sampling, write_object};
inline constexpr MemberType data_routing = {"an object", "{...}", read_data_routing, write_object};

template <>
struct schema<DataEfficiencyConfig> {
    using C = DataEfficiencyConfig;
    static constexpr std::string_view name = "data_efficiency";
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::enabled, {.name = "enabled", .doc = "Uses what is configured below."}),
        field(&C::seed, {.name = "seed", .doc = "Of the samplers."}),
        field(&C::data_sampling, {.name = "data_sampling",
                                  .doc = "num_epochs, num_workers, curriculum_learning, dynamic_batching.",
                                  .type = &dszero::data_sampling}),
        field(&C::data_routing, {.name = "data_routing",
                                 .doc = "random_ltd: layers that leave tokens out.",
                                 .type = &dszero::data_routing}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};
inline bool operator==(const DataEfficiencyConfig& a, const DataEfficiencyConfig& b) {
    return equal_sections(section<DataEfficiencyConfig>, &a, &b);
}

template <>
inline constexpr MemberType member_type<DataEfficiencyConfig> = plain_section<DataEfficiencyConfig>;

}  // namespace dszero
