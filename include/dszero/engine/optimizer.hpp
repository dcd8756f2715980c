// SPDX-License-Identifier: MIT
//
// What an optimizer is to the engine: the names of its states and a step over spans, which
// knows neither ranks nor tiers. One pass reads the gradient in the type it came in, updates
// master weights and states, and writes the weights in the model's type: memory is the
// limit, so each byte moves once. The optimizers themselves are in optimizers.hpp.
#pragma once

#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/scalar.hpp>
#include <dszero/engine/threads/thread_pool.hpp>

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

/// What step_by_vectors works on. Types are told apart within the loop: beside the memory that costs
/// nothing, and one copy of an update serves all of them.
template <std::size_t States>
struct StepMemory {
    float* master;
    std::array<float*, States> states;
    const void* gradient;
    ScalarType gradient_type;
    void* weights;  ///< or none
    ScalarType weight_type;
    bool stream_weights;

    template <std::size_t N>
    [[gnu::always_inline]] Floats<N> load_gradient(std::size_t i) const {
        if (gradient_type == ScalarType::bf16)
            return load_as_floats<N>(static_cast<const bf16*>(gradient) + i);
        if (gradient_type == ScalarType::fp16)
            return load_as_floats<N>(static_cast<const fp16*>(gradient) + i);
        return Floats<N>::load(static_cast<const float*>(gradient) + i);
    }
    template <std::size_t N>
    [[gnu::always_inline]] void store_weights(const Floats<N>& x, std::size_t i) const {
        if (weights == nullptr) return;
        if (weight_type == ScalarType::fp32) return x.store(static_cast<float*>(weights) + i);
        const Words<N> bits = weight_type == ScalarType::bf16 ? rounded_bits<bf16>(x) : rounded_bits<fp16>(x);
        void* const to = static_cast<std::uint16_t*>(weights) + i;
        if (stream_weights)
            bits.stream16(to);
        else
            bits.store16(to);
    }
    /// So far ahead the hardware's own prefetching does not look; worth a quarter to a third of the time.
    [[gnu::always_inline]] void prefetch(std::size_t i) const {
        constexpr std::size_t ahead = 1024;
        // as an address, not a pointer: near the end it is beyond the array
        const auto at = [&](const void* array, std::size_t bytes_each) __attribute__((always_inline)) {
            return reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(array) +
                                                 (i + ahead) * bytes_each);
        };
        __builtin_prefetch(at(gradient, size_of(gradient_type)));
        __builtin_prefetch(at(master, sizeof(float)), 1);
        for (std::size_t k = 0; k != States; ++k) __builtin_prefetch(at(states[k], sizeof(float)), 1);
    }
};

/// Elements [0, elements) of each array. The last, incomplete vector is padded: the same code,
/// hence the same bits.
template <std::size_t States, typename Update>
void step_memory(const StepMemory<States>& whole, std::size_t elements, float scale, const Update& update) {
    vectorised([&](auto lanes) __attribute__((always_inline)) {
        constexpr std::size_t N = lanes;
        const Update arithmetic = update;  // a copy that no store can alias
        const Floats<N> inverse_scale(scale);
        const auto one_vector = [&](const StepMemory<States>& at, std::size_t i)
            __attribute__((always_inline)) {
            Floats<N> x = Floats<N>::load(at.master + i);
            const Floats<N> g = at.template load_gradient<N>(i) * inverse_scale;
            std::array<Floats<N>, States> s;
            for (std::size_t k = 0; k != States; ++k) s[k] = Floats<N>::load(at.states[k] + i);
            arithmetic(lanes, x, s, g);
            x.store(at.master + i);
            for (std::size_t k = 0; k != States; ++k) s[k].store(at.states[k] + i);
            at.store_weights(x, i);
        };

        const StepMemory<States> here = whole;
        std::size_t i = 0;
        for (; i + N <= elements; i += N) {
            here.prefetch(i);
            one_vector(here, i);
        }
        if (const std::size_t rest = elements - i) {
            float padded[States + 3][N] = {};
            StepMemory<States> tail = whole;
            tail.stream_weights = false;
            std::size_t next = 0;
            const auto pad = [&](const void* from, std::size_t bytes_each) {
                return std::memcpy(padded[next++], static_cast<const std::byte*>(from) + i * bytes_each,
                                   rest * bytes_each);
            };
            const auto put_back = [&](const void* from, void* to, std::size_t bytes_each) {
                std::memcpy(static_cast<std::byte*>(to) + i * bytes_each, from, rest * bytes_each);
            };
            tail.master = static_cast<float*>(pad(whole.master, sizeof(float)));
            tail.gradient = pad(whole.gradient, size_of(whole.gradient_type));
            for (std::size_t k = 0; k != States; ++k)
                tail.states[k] = static_cast<float*>(pad(whole.states[k], sizeof(float)));
            if (whole.weights) tail.weights = padded[next];
            one_vector(tail, 0);
            put_back(tail.master, whole.master, sizeof(float));
            for (std::size_t k = 0; k != States; ++k)
                put_back(tail.states[k], whole.states[k], sizeof(float));
            if (whole.weights) put_back(tail.weights, whole.weights, size_of(whole.weight_type));
        }
    });
}

template <std::size_t States, Scalar Gradient, Scalar Weight, typename Update>
void step_by_vectors(const StepScalars& scalars, const StepSpans<Gradient, Weight>& spans,
                     const Update& update) {
    const std::size_t elements = spans.master.size();
    assert(spans.gradient.size() == elements);
    assert(spans.weights.empty() || spans.weights.size() == elements);
    const bool aligned = reinterpret_cast<std::uintptr_t>(spans.weights.data()) % 16 == 0;
    StepMemory<States> memory{spans.master.data(),
                              {},
                              spans.gradient.data(),
                              scalar_type<Gradient>,
                              spans.weights.data(),
                              scalar_type<Weight>,
                              spans.stream_weights && aligned};
    for (std::size_t s = 0; s != States; ++s) {
        assert(spans.states[s].size() == elements);
        memory.states[s] = spans.states[s].data();
    }
    step_memory(memory, elements, scalars.inverse_scale, update);
    if (memory.stream_weights) stream_fence();
}

}  // namespace dszero
