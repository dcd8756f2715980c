// SPDX-License-Identifier: MIT
//
// What DeepSpeed's verdict on a document depends on besides the document.
#pragma once

#include <cstdint>

namespace dszero {

/// What DeepSpeed calls get_accelerator().device_name().
enum class Accelerator : unsigned char { cuda, cpu };

/// Who hands the document to DeepSpeed. The others read strict JSON and replace certain "auto" values first.
enum class Caller : unsigned char { deepspeed, huggingface, accelerate };

struct Circumstances {
    std::int64_t world_size = 1;  ///< ranks
    Accelerator accelerator = Accelerator::cuda;
    Caller caller = Caller::deepspeed;
};

}  // namespace dszero
