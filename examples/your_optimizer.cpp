// SPDX-License-Identifier: MIT
//
// An optimizer of your own, RMSprop here, and all that the engine asks of one: the names
// of its states and the arithmetic of a step. Ranks, stages, 16-bit gradients and weights,
// offload: none of that shows. It fits a line through points that two ranks share.
#include <dszero/dszero.hpp>
#include <dszero/engine/engine.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include <array>
#include <cmath>
#include <cstdio>
#include <vector>

/// Divides a gradient by the root of a running mean of its squares.
struct RMSprop {
    double alpha = 0.99;
    double eps = 1e-8;

    std::array<dszero::OptimizerState, 1> states() const { return {{{"square_avg"}}}; }

    template <dszero::Scalar Gradient, dszero::Scalar Weight>
    void step(const dszero::StepScalars& at, const dszero::StepSpans<Gradient, Weight>& spans) const {
        const auto keep = static_cast<float>(alpha), add = static_cast<float>(1 - alpha);
        const auto lr = static_cast<float>(at.lr), decay = static_cast<float>(at.weight_decay);
        const auto floor = static_cast<float>(eps);
        // for a vector of weights x, their states s and gradients
        dszero::step_by_vectors<1>(
            at, spans, [=](auto, auto& x, auto& s, const auto& gradient) __attribute__((always_inline)) {
                const auto g = gradient + decay * x;
                s[0] = keep * s[0] + add * (g * g);
                x = x - lr * (g / (sqrt(s[0]) + floor));
            });
    }
};
static_assert(dszero::Optimizer<RMSprop>);

int main() {
    const auto config = dszero::parse(R"({
        "train_micro_batch_size_per_gpu": 1,
        "zero_optimization": {"stage": 3}
    })")
                            .value();
    dszero::Layout layout;
    const std::size_t line = layout.add_parameter("line", {2});  // y = line[0] x + line[1]
    const dszero::ModuleId module = layout.add_module("line", {line});
    const dszero::EngineOptions options{.optimizer = dszero::ErasedOptimizer(RMSprop{}), .lr = 0.003};

    std::vector<float> fitted;
    dszero::ThreadWorld(2).run([&](auto& comm) {
        dszero::with_engine(config, layout, comm, options, [&](auto& engine) {
            for (int step = 0; step < 2000; ++step) {
                {
                    const auto weights = engine.gather(module);
                    const float x = static_cast<float>((7 * step + 5 * comm.rank()) % 11) / 10 - 0.5f;
                    const float too_much = weights[0][0] * x + weights[0][1] - (2 * x - 1);
                    const float gradient[] = {too_much * x, too_much};  // of too_much^2 / 2
                    dszero::convert(std::span<const float>(gradient), engine.gradient(module)[0]);
                }
                engine.reduce(module);
                engine.step();
            }
            const std::vector<float> weights = engine.full_weight(line);
            if (comm.rank() == 0) fitted = weights;
        });
    });
    std::printf("y = %.2f x %+.2f; the points are on y = 2 x - 1\n", fitted[0], fitted[1]);
    return std::abs(fitted[0] - 2) < 0.05f && std::abs(fitted[1] + 1) < 0.05f ? 0 : 1;
}
