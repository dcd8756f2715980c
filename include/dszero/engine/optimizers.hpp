// SPDX-License-Identifier: MIT
//
// Adam, AdamW, Adagrad, Lion and SGD, with the meaning that torch and DeepSpeed give to
// their parameters. Factors that do not depend on the element are computed in double and
// rounded once; the rest is one IEEE operation per operator below, in the order written.
#pragma once

#include <dszero/engine/optimizer.hpp>

#include <array>
#include <cmath>
#include <span>

namespace dszero {

/// Adam with weight decay added to the gradient (L2), or decoupled from it (AdamW).
struct Adam {
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    bool decoupled_weight_decay = false;
    bool bias_correction = true;

    std::span<const OptimizerState> states() const {
        static constexpr OptimizerState names[] = {{"exp_avg"}, {"exp_avg_sq"}};
        return names;
    }

    template <Scalar Gradient, Scalar Weight>
    void step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const;

private:
    auto update(const StepScalars& at) const;
};

struct AdamW : Adam {
    AdamW() { decoupled_weight_decay = true; }
    AdamW(double b1, double b2, double eps) : Adam{b1, b2, eps, true, true} {}
};

/// Divides by the root of the sum of all squared gradients so far.
struct Adagrad {
    double epsilon = 1e-10;
    double lr_decay = 0;
    float initial_accumulator_value = 0;

    std::array<OptimizerState, 1> states() const { return {{{"sum", initial_accumulator_value}}}; }

    template <Scalar Gradient, Scalar Weight>
    void step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const;

private:
    auto update(const StepScalars& at) const;
};

/// Steps by the sign of a running mean; weight decay is decoupled.
struct Lion {
    double beta1 = 0.9;
    double beta2 = 0.99;

    std::span<const OptimizerState> states() const {
        static constexpr OptimizerState names[] = {{"exp_avg"}};
        return names;
    }

    template <Scalar Gradient, Scalar Weight>
    void step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const;

private:
    auto update(const StepScalars& at) const;
};

/// Gradient descent; with momentum it has a state, without none.
struct Sgd {
    double momentum = 0;
    double dampening = 0;
    bool nesterov = false;

    std::span<const OptimizerState> states() const {
        static constexpr OptimizerState names[] = {{"momentum_buffer"}};
        return std::span(names).first(momentum != 0 ? 1 : 0);
    }

    template <Scalar Gradient, Scalar Weight>
    void step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const;

private:
    auto plain_update(const StepScalars& at) const;
    auto momentum_update(const StepScalars& at) const;
};

// ---- Implementation ----

inline auto Adam::update(const StepScalars& at) const {
    const auto [now1, now2] = at.betas.value_or(std::array{beta1, beta2});
    const double steps = static_cast<double>(at.t);
    const double correction1 = bias_correction ? 1 - std::pow(now1, steps) : 1;
    const double correction2 = bias_correction ? 1 - std::pow(now2, steps) : 1;
    const float b1 = static_cast<float>(now1);
    const float b2 = static_cast<float>(now2);
    const float rest1 = static_cast<float>(1 - now1);
    const float rest2 = static_cast<float>(1 - now2);
    const float root_factor = static_cast<float>(1 / std::sqrt(correction2));
    const float eps = static_cast<float>(epsilon);
    const float step_size = static_cast<float>(at.lr / correction1);
    const float l2 = static_cast<float>(decoupled_weight_decay ? 0 : at.weight_decay);
    const float keep = static_cast<float>(decoupled_weight_decay ? 1 - at.lr * at.weight_decay : 1);

    return [=](auto, auto& x, auto& s, const auto& gradient) __attribute__((always_inline)) {
        auto& [m, v] = s;
        const auto g = l2 == 0 ? gradient : gradient + l2 * x;
        m = b1 * m + rest1 * g;
        v = b2 * v + rest2 * (g * g);
        x = keep * x - step_size * (m / (sqrt(v) * root_factor + eps));
    };
}

inline auto Adagrad::update(const StepScalars& at) const {
    const float eps = static_cast<float>(epsilon);
    const float l2 = static_cast<float>(at.weight_decay);
    const float step_size = static_cast<float>(at.lr / (1 + static_cast<double>(at.t - 1) * lr_decay));

    return [=](auto, auto& x, auto& s, const auto& gradient) __attribute__((always_inline)) {
        const auto g = l2 == 0 ? gradient : gradient + l2 * x;
        s[0] = s[0] + g * g;
        x = x - step_size * (g / (sqrt(s[0]) + eps));
    };
}

inline auto Lion::update(const StepScalars& at) const {
    const auto [now1, now2] = at.betas.value_or(std::array{beta1, beta2});
    const float b1 = static_cast<float>(now1);
    const float b2 = static_cast<float>(now2);
    const float rest1 = static_cast<float>(1 - now1);
    const float rest2 = static_cast<float>(1 - now2);
    const float step_size = static_cast<float>(at.lr);
    const float keep = static_cast<float>(1 - at.lr * at.weight_decay);

    return [=](auto, auto& x, auto& s, const auto& g) __attribute__((always_inline)) {
        x = keep * x - step_size * sign(b1 * s[0] + rest1 * g);
        s[0] = b2 * s[0] + rest2 * g;
    };
}

inline auto Sgd::plain_update(const StepScalars& at) const {
    const float l2 = static_cast<float>(at.weight_decay);
    const float step_size = static_cast<float>(at.lr);
    return [=](auto, auto& x, auto&, const auto& gradient) __attribute__((always_inline)) {
        const auto g = l2 == 0 ? gradient : gradient + l2 * x;
        x = x - step_size * g;
    };
}

inline auto Sgd::momentum_update(const StepScalars& at) const {
    const float mu = static_cast<float>(momentum);
    const float l2 = static_cast<float>(at.weight_decay);
    const float step_size = static_cast<float>(at.lr);
    // The first step takes the gradient as it is: dampening starts with the second.
    const float rest = static_cast<float>(at.t == 1 ? 1 : 1 - dampening);
    return [ =, looks_ahead = nesterov ](auto, auto& x, auto& s, const auto& gradient)
        __attribute__((always_inline)) {
        const auto g = l2 == 0 ? gradient : gradient + l2 * x;
        s[0] = mu * s[0] + rest * g;
        x = x - step_size * (looks_ahead ? g + mu * s[0] : s[0]);
    };
}

template <Scalar Gradient, Scalar Weight>
void Adam::step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const {
    step_by_vectors<2>(at, spans, update(at));
}

template <Scalar Gradient, Scalar Weight>
void Adagrad::step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const {
    step_by_vectors<1>(at, spans, update(at));
}

template <Scalar Gradient, Scalar Weight>
void Lion::step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const {
    step_by_vectors<1>(at, spans, update(at));
}

template <Scalar Gradient, Scalar Weight>
void Sgd::step(const StepScalars& at, const StepSpans<Gradient, Weight>& spans) const {
    if (momentum == 0)
        step_by_vectors<0>(at, spans, plain_update(at));
    else
        step_by_vectors<1>(at, spans, momentum_update(at));
}

static_assert(Optimizer<Adam> && Optimizer<AdamW> && Optimizer<Adagrad> && Optimizer<Lion> && Optimizer<Sgd>);

}  // namespace dszero
