// SPDX-License-Identifier: MIT
//
// gradient_allreduce_op: what becomes of the ranks' gradients.
// Source: get_gradient_allreduce_op in deepspeed/runtime/config.py of 0.19.6 and later.
#pragma once

#include <string_view>

namespace dszero {

enum class GradientAllreduceOp : unsigned char { mean, sum };

constexpr std::string_view to_string(GradientAllreduceOp op) {
    return op == GradientAllreduceOp::sum ? "sum" : "mean";
}

}  // namespace dszero
