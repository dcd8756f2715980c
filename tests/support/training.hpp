// SPDX-License-Identifier: MIT
//
// A small model to train in tests: odd sizes, two optimizer groups, a shared and a
// frozen parameter. Its gradients are formulas of the weights, rank and step, so that
// every bit of a run is reproducible.
#pragma once

#include "support/engine_instances.hpp"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

inline Layout odd_layout() {
    Layout layout;
    const auto embed = layout.add_parameter("embed", {13, 5});
    const auto a_w = layout.add_parameter("a.w", {17, 3}), a_b = layout.add_parameter("a.b", {});
    const auto b_w = layout.add_parameter("b.w", {40, 7}), b_b = layout.add_parameter("b.b", {7});
    const auto frozen = layout.add_parameter("b.frozen", {11}, true);
    const auto c_w = layout.add_parameter("c.w", {64}), c_n = layout.add_parameter("c.norm", {33});
    layout.add_module("embed", {embed});
    layout.add_module("a", {a_w, a_b});
    layout.add_module("b", {b_w, b_b, frozen});
    layout.add_module("c", {c_w, c_n});
    layout.add_module("head", {embed});
    layout.add_group({embed, a_w, b_w, c_w}, 0.02, 0.1);
    layout.add_group({a_b, b_b, frozen, c_n}, std::nullopt, 0.0);
    layout.init = [](std::size_t p, std::size_t offset, std::span<float> values) {
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>((97 * p + 31 * (offset + i)) % 200) / 150.0f - 0.6f;
    };
    return layout;
}

/// What a run is to be like, beyond the configuration's defaults.
struct Run {
    int stage = 0;
    std::size_t ranks = 1;
    std::string type = "fp32";
    std::int64_t bucket = 1'000'000;
    bool overlap = false;
    std::int64_t micro_steps = 1;
    double clipping = 0.5;
    int steps = 3;
};

inline EngineConfig config_for(const Run& run) {
    EngineConfig config;
    config.train_micro_batch_size_per_gpu = 1;
    config.gradient_accumulation_steps = run.micro_steps;
    config.gradient_clipping = run.clipping;
    config.optimizer.type = "AdamW";
    append_member(config.optimizer.params, "lr", json_float(0.01));
    config.bfloat16_config.enabled = run.type == "bf16";
    config.float16_config.enabled = run.type == "fp16";
    config.float16_config.initial_scale_power = 6;
    config.zero_config.stage = static_cast<ZeroStageEnum>(run.stage);
    config.zero_config.reduce_bucket_size = run.bucket;
    config.zero_config.overlap_comm = run.overlap;
    config.zero_config.param_persistence_threshold = 0;
    return config;
}

/// Forward and backward of one micro-step.
template <class Engine>
void pass(Engine& engine, std::size_t rank, int step, int micro) {
    const Layout& layout = engine.layout();
    for (std::size_t m = 0; m < layout.modules.size(); ++m) {
        const auto w = engine.gather({m});
    }
    for (std::size_t m = layout.modules.size(); m-- > 0;) {
        const auto w = engine.gather({m});
        const auto gradients = engine.gradient({m});
        for (std::size_t i = 0; i < w.size(); ++i) {
            const auto g = gradients[i];
            for (std::size_t j = 0; j < g.size(); ++j) {
                using T = std::remove_cvref_t<decltype(g[j])>;
                const std::size_t mixed = 53 * m + 7 * j + 29 * rank + 17 * static_cast<std::size_t>(step) +
                                          11 * static_cast<std::size_t>(micro);
                const float target = static_cast<float>(mixed % 101) / 77.0f - 0.5f;
                g[j] = static_cast<T>(g[j] + engine.backward_scale() * (w[i][j] - target));
            }
        }
        engine.reduce({m});
    }
}

/// The bits of everything that was trained.
template <class Engine>
std::vector<std::uint32_t> bits_of(Engine& engine) {
    std::vector<std::uint32_t> bits;
    const auto append = [&](const std::vector<float>& values) {
        for (const float value : values) bits.push_back(std::bit_cast<std::uint32_t>(value));
    };
    const Layout& layout = engine.layout();
    for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
        append(engine.full_weight(p));
        if (layout.parameters[p].frozen) continue;
        append(engine.full_state(p, "exp_avg"));
        append(engine.full_state(p, "exp_avg_sq"));
    }
    for (std::size_t m = 0; m < layout.modules.size(); ++m) {
        const auto w = engine.gather({m});
        for (std::size_t i = 0; i < w.size(); ++i)
            for (const auto value : w[i])
                bits.push_back(std::bit_cast<std::uint32_t>(static_cast<float>(value)));
    }
    return bits;
}

struct Outcome {
    std::vector<std::uint32_t> bits;
    std::vector<double> norms;
    std::vector<EngineReport> reports;  ///< by rank, after the last step
};

/// The same on every rank, or `bits` is empty.
Outcome train(const EngineConfig& config, const Layout& layout, const Run& run,
              const EngineOptions& options = {});
Outcome train(const Run& run);

}  // namespace test
