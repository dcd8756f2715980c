// SPDX-License-Identifier: MIT
//
// What may stand for the section zero_optimization: an object, or true or false, the form of old.
// Source: get_zero_config and read_zero_config_deprecated in deepspeed/runtime/zero/config.py.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/config/rows/zero.hpp>
#include <dszero/config/section.hpp>

#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

/// The old form, "zero_optimization": true or false, as members of the section that DeepSpeed makes of it.
/// The size of its buckets stands beside it in the document.
inline Members members_of_boolean_form(const Value& flag, Reading& r) {
    const bool on = boolean_in(*flag.json);
    const Member* size = r.document ? find_member(*r.document, "allgather_size") : nullptr;
    r.warnings.push_back("deprecated_boolean_format");
    Members members;
    members.push_back({"stage", {&r.keep(json_integer(on ? 1 : 0)), flag.node}});
    std::string rewrite = "{\"stage\": 0}";
    if (on) {
        const Value value = size ? size->value : Value{&r.keep(json_integer(500'000'000)), flag.node};
        members.push_back({"allgather_bucket_size", value});
        rewrite =
            "{\"stage\": 1" + (size ? ", \"allgather_bucket_size\": " + r.shown(value) : std::string()) + "}";
    }
    r.report(Severity::warning, "deprecated-boolean", Path{.key = zero_optimization}.pointer(),
             r.value_span(flag), "a boolean zero_optimization is deprecated", "write " + rewrite)
        .replacement = Replacement{r.value_span(flag), rewrite};
    return members;
}

inline bool read_zero_section(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    const bool flag = value.json->is_boolean();
    if (!flag && !value.json->is_object())
        return refuse_shape(zero_optimization, "an object", value, r, path);
    const std::size_t from = r.diagnostics.size();
    const Members members = flag ? members_of_boolean_form(value, r) : r.members_of(value);
    read_members(section<DeepSpeedZeroConfig>, member, members, value, r, path);
    for (std::size_t i = from; i < r.diagnostics.size(); ++i)
        if (r.diagnostics[i].severity == Severity::error && r.diagnostics[i].code == "deprecated-key")
            r.check = "deprecated_with_replacement";  // checked last: then it is the only error
    if (r.has_aborted()) r.check = "shape:zero_optimization";
    r.settle_abort(path, from);
    return !r.has_errors_since(from);
}

template <>
inline constexpr MemberType member_type<DeepSpeedZeroConfig> = {"an object",
                                                                "{...}",
                                                                read_zero_section,
                                                                write_nested<DeepSpeedZeroConfig>,
                                                                &section<DeepSpeedZeroConfig>,
                                                                [](const void* member) { return member; }};

}  // namespace dszero
