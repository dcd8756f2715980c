// SPDX-License-Identifier: MIT
//
// What an optimizer is to the engine: the names of its states and a step over spans, which
// knows neither ranks nor tiers. One pass reads the gradient in the type it came in, updates
// master weights and states, and writes the weights in the model's type: memory is the
// limit, so each byte moves once. The optimizers themselves are in optimizers.hpp.
#pragma once

#include <dszero/engine/scalar.hpp>
#include <dszero/engine/thread_pool.hpp>

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
/// inverse_scale. It is an always_inline lambda that captures by value. The last, incomplete vector is
/// padded: the same code, hence the same bits.
template <std::size_t States, Scalar Gradient, Scalar Weight, typename Update>
void step_by_vectors(const StepScalars& scalars, const StepSpans<Gradient, Weight>& spans,
                     const Update& update);

// ---- Implementation ----

template <std::size_t States, Scalar Gradient, Scalar Weight, typename Update>
void step_by_vectors(const StepScalars& scalars, const StepSpans<Gradient, Weight>& spans,
                     const Update& update) {
    const std::size_t elements = spans.master.size();
    assert(spans.gradient.size() == elements);
    assert(spans.weights.empty() || spans.weights.size() == elements);
    for (std::size_t s = 0; s != States; ++s) assert(spans.states[s].size() == elements);

    vectorised([&](auto lanes) __attribute__((always_inline)) {
        constexpr std::size_t N = lanes;
        const bool stream =
            spans.stream_weights && reinterpret_cast<std::uintptr_t>(spans.weights.data()) % 16 == 0;
        const Update arithmetic = update;  // a copy that no store can alias
        const Floats<N> inverse_scale(scalars.inverse_scale);
        const auto one_vector = [&](float* master, const std::array<float*, States>& states,
                                    const Gradient* gradient, Weight* weights)
            __attribute__((always_inline)) {
            Floats<N> x = Floats<N>::load(master);
            const Floats<N> g = load_as_floats<N>(gradient) * inverse_scale;
            std::array<Floats<N>, States> s;
            for (std::size_t k = 0; k != States; ++k) s[k] = Floats<N>::load(states[k]);
            arithmetic(lanes, x, s, g);
            x.store(master);
            for (std::size_t k = 0; k != States; ++k) s[k].store(states[k]);
            if (weights == nullptr) return;
            if (stream)
                stream_from_floats<N>(x, weights);
            else
                store_from_floats<N>(x, weights);
        };

        std::size_t i = 0;
        std::array<float*, States> states;
        for (; i + N <= elements; i += N) {
            for (std::size_t k = 0; k != States; ++k) states[k] = spans.states[k].data() + i;
            one_vector(spans.master.data() + i, states, spans.gradient.data() + i,
                       spans.weights.empty() ? nullptr : spans.weights.data() + i);
        }
        if (const std::size_t rest = elements - i) {
            float master[N] = {};
            float padded_states[States + 1][N] = {};
            Gradient gradient[N] = {};
            alignas(64) Weight weights[N];
            std::memcpy(master, spans.master.data() + i, rest * sizeof(float));
            std::memcpy(gradient, spans.gradient.data() + i, rest * sizeof(Gradient));
            for (std::size_t k = 0; k != States; ++k) {
                states[k] = padded_states[k];
                std::memcpy(states[k], spans.states[k].data() + i, rest * sizeof(float));
            }
            one_vector(master, states, gradient, weights);
            std::memcpy(spans.master.data() + i, master, rest * sizeof(float));
            for (std::size_t k = 0; k != States; ++k)
                std::memcpy(spans.states[k].data() + i, states[k], rest * sizeof(float));
            if (!spans.weights.empty()) std::memcpy(spans.weights.data() + i, weights, rest * sizeof(Weight));
        }
        if (stream) stream_fence();
    });
}

}  // namespace dszero
