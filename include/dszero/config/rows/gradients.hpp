// SPDX-License-Identifier: MIT
//
// Rows of gradients.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/coerce.hpp>
#include <dszero/config/gradients.hpp>
#include <dszero/config/member_types.hpp>

#include <string>

namespace dszero {

/// One of two words, in any case.
inline bool read_gradient_allreduce_op(void* member, const Value& value, const Row&, Reading& r,
                                       const Path& path) {
    const std::string lower = value.json->is_string() ? to_lower(string_in(*value.json)) : std::string();
    if (lower != "mean" && lower != "sum") {
        r.check = "gradient_allreduce_op";
        r.error("wrong-value", path, r.value_span(value),
                "gradient_allreduce_op must be \"mean\" or \"sum\", got " + r.shown(value));
        return false;
    }
    *static_cast<GradientAllreduceOp*>(member) =
        lower == "sum" ? GradientAllreduceOp::sum : GradientAllreduceOp::mean;
    return true;
}
inline Json write_gradient_allreduce_op(const void* member, const Writing&) {
    return json_string(to_string(*static_cast<const GradientAllreduceOp*>(member)));
}

template <>
inline constexpr MemberType member_type<GradientAllreduceOp> = {.expected = "\"mean\" or \"sum\"",
                                                                .format = "[\"mean\"|\"sum\"]",
                                                                .read = read_gradient_allreduce_op,
                                                                .write = write_gradient_allreduce_op,
                                                                .any_case = true};

}  // namespace dszero
