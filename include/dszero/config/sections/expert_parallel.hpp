// SPDX-License-Identifier: MIT
//
// The section expert_parallel: AutoEP, experts split across ranks. It is kept as it is; the engine
// looks at its values later.
// Source: deepspeed/module_inject/auto_ep_config.py of 0.19.2 and later.
#pragma once

#include <dszero/config/document_sections.hpp>

#include <string>

namespace dszero {

inline bool read_expert_parallel(void* member, const Value& value, const Row&, Reading& r, const Path& path) {
    if (!is_truthy(*value.json)) return true;  // an empty section, whatever it is
    if (!value.json->is_object()) return refuse_shape("expert_parallel", "an object", value, r, path);
    const Members members = r.members_of(value);
    const Member* coefficient = find_member(members, "load_balance_coeff");
    if (coefficient && !coefficient->value.json->is_null()) {
        r.check = "expert_parallel_load_balance_coeff";
        r.error("wrong-value", Path{.parent = &path, .key = "load_balance_coeff"},
                r.value_span(coefficient->value),
                "load_balance_coeff must be null, got " + r.shown(coefficient->value), "remove it");
        return false;
    }
    *static_cast<Json*>(member) = kept(value, r);
    return true;
}
inline constexpr MemberType expert_parallel = {"an object", "{...}", read_expert_parallel, write_object};

}  // namespace dszero
