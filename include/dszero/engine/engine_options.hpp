// SPDX-License-Identifier: MIT
//
// What an engine is given beside the configuration, and what the two say together.
#pragma once

#include <dszero/engine/file_store.hpp>
#include <dszero/engine/memory.hpp>
#include <dszero/engine/parts/settings.hpp>
#include <dszero/engine/threads/thread_pool.hpp>
#include <dszero/engine/tiled_step.hpp>

#include <cstddef>
#include <optional>

namespace dszero {

struct EngineOptions {
    MemoryBudgets budgets{};                    ///< of each rank, by tier; in bytes
    ThreadPool* pool = nullptr;                 ///< one a process; none: each rank computes alone
    StoreFactory open_store = open_file_store;  ///< makes what is kept on NVMe; see also uring_store.hpp
    std::size_t tile_elements = Tiling().tile_elements;  ///< of each state; what one request moves
    std::optional<ErasedOptimizer> optimizer{};          ///< one of your own instead of the configuration's
    double lr = 1e-3;                                    ///< of that one
    double weight_decay = 0;
};

/// `Config` is DeepSpeedConfig.
template <class Config>
Settings settings_for(const Config& config, const EngineOptions& options, std::size_t ranks) {
    Settings settings = settings_from(config, ranks);
    if (options.optimizer) {
        settings.optimizer = options.optimizer;
        settings.lr = options.lr;
        settings.weight_decay = options.weight_decay;
    } else {
        set_optimizer(settings, typed_params(config.optimizer));
    }
    return settings;
}

}  // namespace dszero
