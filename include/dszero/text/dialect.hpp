// SPDX-License-Identifier: MIT
#pragma once

namespace dszero {

/// Which reader's rules a text is read by.
enum class Dialect : unsigned char {
    hjson,  ///< hjson-py 3.1.0: DeepSpeed from 0.8.1 on.
    json,   ///< Python's json module: DeepSpeed before that, and Accelerate.
};

}  // namespace dszero
