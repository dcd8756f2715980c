// SPDX-License-Identifier: MIT
//
// One training run: what it is given, and what remains of it.
#pragma once

#include "gpt.hpp"
#include "text.hpp"

#include <dszero/dszero.hpp>
#include <dszero/engine/memory.hpp>
#include <dszero/engine/parts/engine_report.hpp>

#include <cstddef>
#include <string>
#include <vector>

namespace gpt {

struct TrainOptions {
    int ranks = 2;
    unsigned threads_per_rank = 1;
    std::size_t steps = 150;
    std::size_t progress_every = 20;  ///< steps; 0: no progress is printed
    Shape shape{};
    dszero::MemoryBudgets budgets{};   ///< of each rank
    std::size_t tile_elements = 4096;  ///< what moves to or from a disk at a time, of each optimizer state
};

struct Run {
    std::string name;
    std::vector<double> losses;                 ///< by step: the mean over all ranks' tokens, in nats
    std::size_t skipped = 0;                    ///< steps, whose gradients were not all finite
    std::vector<float> weights;                 ///< all of them, after the last step
    std::vector<dszero::EngineReport> reports;  ///< by rank
};

/// Trains, and prints its progress. Throws what the engine throws.
Run train(const dszero::DeepSpeedConfig& config, const Text& text, const TrainOptions& options);

}  // namespace gpt
