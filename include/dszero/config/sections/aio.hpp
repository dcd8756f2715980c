// SPDX-License-Identifier: MIT
//
// The section aio: how offloading reads and writes NVMe.
// Source: deepspeed/runtime/swap_tensor/aio_config.py and constants.py.
#pragma once

#include <dszero/config/plain.hpp>
#include <dszero/config/section_of.hpp>

#include <cstdint>
#include <string_view>

namespace dszero {

struct AioConfig {
    Plain<std::int64_t> block_size = 1'048'576;  ///< bytes
    Plain<std::int64_t> queue_depth = 8;         ///< requests in flight
    Plain<std::int64_t> thread_count = 1;
    Plain<std::int64_t> intra_op_parallelism = 1;
    Plain<bool> single_submit;
    Plain<bool> overlap_events = true;
    Plain<bool> use_gds;

    bool operator==(const AioConfig&) const = default;
};
template <>
inline constexpr std::string_view section_name<AioConfig> = "aio";

}  // namespace dszero
