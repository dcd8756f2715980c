// SPDX-License-Identifier: MIT
//
// The configuration of a recorded scenario, as DeepSpeed made it on a machine without a GPU.
#pragma once

#include <dszero/config/document.hpp>

#include <cstddef>
#include <cstdint>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

using EngineConfig = DeepSpeedConfig;

inline EngineConfig engine_config(const Json& document, std::size_t ranks) {
    LoadOptions options;
    options.world_size = static_cast<std::int64_t>(ranks);
    options.accelerator = Accelerator::cpu;
    return parse(write_json(document), options).value();
}

}  // namespace test
