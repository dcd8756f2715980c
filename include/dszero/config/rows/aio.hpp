// SPDX-License-Identifier: MIT
//
// Rows of sections/aio.hpp: how it is read, checked, written and described.
#pragma once

#include <dszero/config/document_sections.hpp>
#include <dszero/config/sections/aio.hpp>

#include <array>

namespace dszero {

template <>
struct schema<AioConfig> {
    using C = AioConfig;
    static constexpr Container container = Container::dictionary;
    static constexpr std::array rows = {
        field(&C::block_size, {.name = "block_size", .doc = "Bytes of one request.", .unit = Unit::bytes}),
        field(&C::queue_depth, {.name = "queue_depth", .doc = "Requests in flight, for each thread."}),
        field(&C::thread_count,
              {.name = "thread_count", .doc = "Threads that share one transfer.", .until = "0.16.4"}),
        field(&C::intra_op_parallelism,
              {.name = "intra_op_parallelism", .doc = "Threads that share one transfer.", .since = "0.16.4"}),
        field(&C::single_submit,
              {.name = "single_submit", .doc = "Submits requests one by one, not as a batch."}),
        field(&C::overlap_events,
              {.name = "overlap_events", .doc = "Submits new requests while others are still awaited."}),
        field(&C::use_gds, {.name = "use_gds",
                            .doc = "Transfers between NVMe and GPU directly (GPUDirect Storage).",
                            .since = "0.15.0"}),
    };
    static constexpr std::array<Check, 0> checks{};
    static_assert(no_name_twice(rows));
};

/// null counts as absent.
inline bool read_aio(void* member, const Value& value, const Row& row, Reading& r, const Path& path) {
    if (value.json->is_null()) return true;
    if (!read_plain_section(member, value, row, r, path)) return false;
    const auto& config = *static_cast<const AioConfig*>(member);
    if (!config.use_gds || r.circumstances.accelerator == Accelerator::cuda) return true;
    const Value given = find_member(r.members_of(value), "use_gds")->value;
    r.check = "gds_needs_cuda";
    r.error("gds-needs-cuda", Path{.parent = &path, .key = "use_gds"}, r.value_span(given),
            "use_gds needs a CUDA device", "remove it");
    return false;
}

template <>
inline constexpr MemberType member_type<AioConfig> = {"an object or null",
                                                      "{...}",
                                                      read_aio,
                                                      write_nested<AioConfig>,
                                                      &section<AioConfig>,
                                                      [](const void* member) { return member; }};

}  // namespace dszero
