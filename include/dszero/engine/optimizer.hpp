// SPDX-License-Identifier: MIT
//
// What an optimizer is to the engine: the names of its states and a step over spans, which
// knows neither ranks nor tiers. One pass reads the gradient in the type it came in, updates
// master weights and states, and writes the weights in the model's type: memory is the
// limit, so each byte moves once. The optimizers themselves are in optimizers.hpp.
#pragma once

#include <dszero/engine/scalar.hpp>
#include <dszero/engine/threads/thread_pool.hpp>

#include <algorithm>
#include <array>
#include <cassert>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <string_view>

namespace dszero {

/// A state is one float per weight. Named as torch names it.
struct OptimizerState {
    std::string_view name;
    float initial_value = 0;
};

inline constexpr std::size_t most_optimizer_states = 4;

/// What differs from step to step, and between parameter groups.
struct StepScalars {
    double lr = 0;
    double weight_decay = 0;
    float inverse_scale = 1;  ///< Gradients are multiplied by it: unscaling and clipping in one.
    std::int64_t t = 1;       ///< Counts this optimizer's steps from 1; skipped ones do not count.
    std::optional<std::array<double, 2>> betas{};  ///< Instead of the optimizer's own, if it has any.
};

/// Equally long spans; element i of each belongs to weight i. None overlaps another.
template <Scalar Gradient, Scalar Weight>
struct StepSpans {
    std::span<float> master;
    std::array<std::span<float>, most_optimizer_states>
        states;  ///< In the order of states(); the rest empty.
    std::span<const Gradient> gradient;
    std::span<Weight> weights;    ///< Receives the master weights, rounded. Empty: not wanted.
    bool stream_weights = false;  ///< Past the caches: a tenth faster where they would not fit anyway.

    /// Elements [begin, begin + elements) of each.
    StepSpans subspan(std::size_t begin, std::size_t elements) const {
        StepSpans part{
            master.subspan(begin, elements), {}, gradient.subspan(begin, elements), {}, stream_weights};
        for (std::size_t s = 0; s < states.size(); ++s)
            if (!states[s].empty()) part.states[s] = states[s].subspan(begin, elements);
        if (!weights.empty()) part.weights = weights.subspan(begin, elements);
        return part;
    }
};

/// The contract. An optimizer is a value that holds hyperparameters only, so one serves any
/// tile in any order and from several threads. step() treats each element by itself: cutting
/// the spans anywhere gives the same bits.
template <typename O>
concept Optimizer = std::copyable<O> &&
    requires(const O& optimizer, const StepScalars& scalars, const StepSpans<float, float>& fp32,
             const StepSpans<bf16, bf16>& bf16_model, const StepSpans<fp16, fp16>& fp16_model,
             const StepSpans<float, bf16>& bf16_model_fp32_gradient,
             const StepSpans<float, fp16>& fp16_model_fp32_gradient) {
    { optimizer.states() } -> std::convertible_to<std::span<const OptimizerState>>;
    optimizer.step(scalars, fp32);
    optimizer.step(scalars, bf16_model);
    optimizer.step(scalars, fp16_model);
    optimizer.step(scalars, bf16_model_fp32_gradient);
    optimizer.step(scalars, fp16_model_fp32_gradient);
};

inline constexpr std::size_t stream_weights_from_bytes = std::size_t{1} << 24;

/// optimizer.step, shared among the threads of a pool.
template <Optimizer O, Scalar Gradient, Scalar Weight>
void step(ThreadPool& pool, const O& optimizer, const StepScalars& scalars,
          const StepSpans<Gradient, Weight>& spans) {
    StepSpans<Gradient, Weight> whole = spans;
    whole.stream_weights = spans.stream_weights || spans.weights.size_bytes() >= stream_weights_from_bytes;
    pool.parallel_for(whole.master.size(), [&](std::size_t begin, std::size_t elements) {
        optimizer.step(scalars, whole.subspan(begin, elements));
    });
}

/// Writes an optimizer's step from its arithmetic on one vector. `update(lanes, x, s, g)` is
/// called for N = lanes weights at a time with the master weights x, the states s (an array
/// of Floats<N>, to be updated like x) and the gradient g, already multiplied by
/// inverse_scale. It is an always_inline lambda that captures by value, best returned by a
/// function that does not depend on Gradient and Weight: then one copy of it serves all types.
template <std::size_t States, Scalar Gradient, Scalar Weight, typename Update>
void step_by_vectors(const StepScalars& scalars, const StepSpans<Gradient, Weight>& spans,
                     const Update& update);

// ---- Implementation ----

/// Elements [0, elements) of each array. The last, incomplete vector is padded: the same code,
/// hence the same bits.
template <std::size_t States, typename Update>
void step_floats(float* master, const std::array<float*, States>& states, const float* gradient,
                 std::size_t elements, float scale, const Update& update) {
    vectorised([&](auto lanes) __attribute__((always_inline)) {
        constexpr std::size_t N = lanes;
        const Update arithmetic = update;  // a copy that no store can alias
        const Floats<N> inverse_scale(scale);
        const auto one_vector = [&](float* x_at, const std::array<float*, States>& s_at, const float* g_at)
            __attribute__((always_inline)) {
            Floats<N> x = Floats<N>::load(x_at);
            const Floats<N> g = Floats<N>::load(g_at) * inverse_scale;
            std::array<Floats<N>, States> s;
            for (std::size_t k = 0; k != States; ++k) s[k] = Floats<N>::load(s_at[k]);
            arithmetic(lanes, x, s, g);
            x.store(x_at);
            for (std::size_t k = 0; k != States; ++k) s[k].store(s_at[k]);
        };

        std::size_t i = 0;
        std::array<float*, States> here;
        for (; i + N <= elements; i += N) {
            for (std::size_t k = 0; k != States; ++k) here[k] = states[k] + i;
            one_vector(master + i, here, gradient + i);
        }
        if (const std::size_t rest = elements - i) {
            float padded[States + 2][N] = {};
            std::memcpy(padded[0], master + i, rest * sizeof(float));
            std::memcpy(padded[1], gradient + i, rest * sizeof(float));
            for (std::size_t k = 0; k != States; ++k) {
                here[k] = padded[k + 2];
                std::memcpy(here[k], states[k] + i, rest * sizeof(float));
            }
            one_vector(padded[0], here, padded[1]);
            std::memcpy(master + i, padded[0], rest * sizeof(float));
            for (std::size_t k = 0; k != States; ++k)
                std::memcpy(states[k] + i, here[k], rest * sizeof(float));
        }
    });
}

/// So many elements at a time pass through the first cache: gradients are converted before
/// their update, weights after it, and each byte moves between cache and memory once.
inline constexpr std::size_t step_block_elements = 1024;

template <std::size_t States, Scalar Gradient, Scalar Weight, typename Update>
void step_by_vectors(const StepScalars& scalars, const StepSpans<Gradient, Weight>& spans,
                     const Update& update) {
    const std::size_t elements = spans.master.size();
    assert(spans.gradient.size() == elements);
    assert(spans.weights.empty() || spans.weights.size() == elements);
    for (std::size_t s = 0; s != States; ++s) assert(spans.states[s].size() == elements);

    constexpr bool converts = !std::same_as<Gradient, float>;
    alignas(64) float converted[converts ? step_block_elements : 1];
    std::array<float*, States> states;
    for (std::size_t begin = 0; begin < elements; begin += step_block_elements) {
        const std::size_t count = std::min(step_block_elements, elements - begin);
        const std::span<float> master = spans.master.subspan(begin, count);
        for (std::size_t k = 0; k != States; ++k) states[k] = spans.states[k].data() + begin;
        const float* gradient = converted;
        if constexpr (converts)
            convert(spans.gradient.subspan(begin, count), std::span(converted, count));
        else
            gradient = spans.gradient.data() + begin;
        step_floats(master.data(), states, gradient, count, scalars.inverse_scale, update);
        if (!spans.weights.empty())
            convert(std::span<const float>(master), spans.weights.subspan(begin, count),
                    spans.stream_weights);
    }
    if (spans.stream_weights) stream_fence();
}

}  // namespace dszero
