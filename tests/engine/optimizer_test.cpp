// SPDX-License-Identifier: MIT
//
// Each optimizer against its textbook form in double, and its bits against themselves:
// instruction sets, cuts, threads and tails.
#include <dszero/engine/optimizers.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <array>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

using dszero::Adagrad;
using dszero::Adam;
using dszero::AdamW;
using dszero::bf16;
using dszero::fp16;
using dszero::Lion;
using dszero::Scalar;
using dszero::Sgd;
using dszero::StepScalars;
using dszero::StepSpans;

namespace {

/// Weights, states and 16-bit weights of one optimizer, and gradients for any step.
template <Scalar Gradient, Scalar Weight>
struct Model {
    std::vector<float> master;
    std::array<std::vector<float>, 2> states;
    std::vector<Gradient> gradient;
    std::vector<Weight> weights;

    template <typename Optimizer>
    Model(const Optimizer& optimizer, std::size_t elements)
        : master(elements), gradient(elements), weights(elements) {
        for (std::size_t i = 0; i < elements; ++i) master[i] = (static_cast<float>(i * 7 % 129) - 64) / 64;
        std::size_t s = 0;
        const auto list = optimizer.states();
        for (const dszero::OptimizerState& state : list) states[s++].assign(elements, state.initial_value);
    }

    void set_gradient(std::int64_t t) {
        for (std::size_t i = 0; i < gradient.size(); ++i)
            gradient[i] =
                Gradient((static_cast<float>((i * 11 + static_cast<std::size_t>(t) * 23) % 61) - 30) / 64);
    }
    StepSpans<Gradient, Weight> spans() {
        return {master, {states[0], states[1], {}, {}}, gradient, weights};
    }
    bool operator==(const Model& other) const {
        const auto same = [](const auto& a, const auto& b) {
            return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](auto x, auto y) {
                return static_cast<float>(x) == static_cast<float>(y) &&
                       std::signbit(static_cast<float>(x)) == std::signbit(static_cast<float>(y));
            });
        };
        return same(master, other.master) && same(states[0], other.states[0]) &&
               same(states[1], other.states[1]) && same(weights, other.weights);
    }
};

StepScalars at_step(std::int64_t t) {
    return {.lr = 0.01, .weight_decay = 0.1, .inverse_scale = 0.75f, .t = t};
}

/// `reference(x, s, g, t)` steps one weight in double.
template <typename Optimizer, typename Reference>
void check_against(const Optimizer& optimizer, const Reference& reference) {
    Model<float, float> model(optimizer, 100);
    std::vector<std::array<double, 3>> expected(100);
    for (std::size_t i = 0; i < 100; ++i) {
        expected[i][0] = model.master[i];
        for (std::size_t s = 0; s < 2; ++s)
            expected[i][s + 1] = model.states[s].empty() ? 0 : model.states[s][i];
    }
    for (std::int64_t t = 1; t <= 10; ++t) {
        model.set_gradient(t);
        optimizer.step(at_step(t), model.spans());
        for (std::size_t i = 0; i < 100; ++i) {
            reference(expected[i][0], &expected[i][1], model.gradient[i] * 0.75, static_cast<double>(t));
            REQUIRE(std::abs(model.master[i] - expected[i][0]) < 1e-6);
            for (std::size_t s = 0; s < 2; ++s)
                if (!model.states[s].empty())
                    REQUIRE(std::abs(model.states[s][i] - expected[i][s + 1]) < 1e-6);
            REQUIRE(model.weights[i] == model.master[i]);
        }
    }
}

template <Scalar Gradient, Scalar Weight, typename Optimizer>
void check_bits(const Optimizer& optimizer) {
    constexpr std::size_t elements = 70'003;
    constexpr std::int64_t steps = 2;
    dszero::use_instruction_set(dszero::InstructionSet::portable);
    Model<Gradient, Weight> expected(optimizer, elements);
    for (std::int64_t t = 1; t <= steps; ++t) {
        expected.set_gradient(t);
        optimizer.step(at_step(t), expected.spans());
    }
    for_each_instruction_set([&] {
        Model<Gradient, Weight> whole(optimizer, elements), cut(optimizer, elements),
            shared(optimizer, elements);
        dszero::ThreadPool pool(2);
        for (std::int64_t t = 1; t <= steps; ++t) {
            whole.set_gradient(t);
            StepSpans<Gradient, Weight> spans = whole.spans();
            spans.stream_weights = true;
            optimizer.step(at_step(t), spans);
            cut.set_gradient(t);
            for (std::size_t begin = 0, k = 1; begin < elements; begin += k, k = k % 97 + 1)
                optimizer.step(at_step(t), cut.spans().subspan(begin, std::min(k, elements - begin)));
            shared.set_gradient(t);
            dszero::step(pool, optimizer, at_step(t), shared.spans());
        }
        CHECK(whole == expected);
        CHECK(cut == expected);
        CHECK(shared == expected);
    });
}

template <typename Optimizer>
void check_bits_of_all_types(const Optimizer& optimizer) {
    check_bits<float, float>(optimizer);
    check_bits<bf16, bf16>(optimizer);
    check_bits<fp16, fp16>(optimizer);
    check_bits<float, bf16>(optimizer);
}

}  // namespace

TEST_CASE("Adam: as published, weight decay in the gradient") {
    check_against(Adam{}, [](double& x, double* s, double g, double t) {
        g += 0.1 * x;
        s[0] = 0.9 * s[0] + 0.1 * g;
        s[1] = 0.999 * s[1] + 0.001 * g * g;
        x -= 0.01 * (s[0] / (1 - std::pow(0.9, t))) / (std::sqrt(s[1] / (1 - std::pow(0.999, t))) + 1e-8);
    });
}

TEST_CASE("AdamW: weight decay apart from the gradient, with and without bias correction") {
    for (const bool correct : {true, false}) {
        AdamW optimizer(0.8, 0.95, 1e-3);
        optimizer.bias_correction = correct;
        check_against(optimizer, [correct](double& x, double* s, double g, double t) {
            x *= 1 - 0.01 * 0.1;
            s[0] = 0.8 * s[0] + 0.2 * g;
            s[1] = 0.95 * s[1] + 0.05 * g * g;
            const double m = correct ? s[0] / (1 - std::pow(0.8, t)) : s[0];
            const double v = correct ? s[1] / (1 - std::pow(0.95, t)) : s[1];
            x -= 0.01 * m / (std::sqrt(v) + 1e-3);
        });
    }
}

TEST_CASE("Adagrad: an initial sum, and a rate that decays") {
    check_against(Adagrad{1e-6, 0.05, 0.25f}, [](double& x, double* s, double g, double t) {
        g += 0.1 * x;
        s[0] += g * g;
        x -= 0.01 / (1 + (t - 1) * 0.05) * g / (std::sqrt(s[0]) + 1e-6);
    });
}

TEST_CASE("Lion: steps by a sign, and stands still at zero") {
    check_against(Lion{}, [](double& x, double* s, double g, double) {
        const double c = 0.9 * s[0] + 0.1 * g;
        x = x * (1 - 0.01 * 0.1) - 0.01 * (c > 0 ? 1 : c < 0 ? -1 : 0);
        s[0] = 0.99 * s[0] + 0.01 * g;
    });
    std::vector<float> x{1.0f}, m{0.0f}, g{0.0f};
    Lion{}.step({.lr = 0.5}, StepSpans<float, float>{x, {m}, g, {}});
    CHECK(x[0] == 1.0f);
}

TEST_CASE("Sgd: without momentum it has no state") {
    CHECK(Sgd{}.states().empty());
    CHECK(Sgd{.momentum = 0.9}.states().size() == 1);
    check_against(Sgd{}, [](double& x, double*, double g, double) { x -= 0.01 * (g + 0.1 * x); });
}

TEST_CASE("Sgd: momentum, dampening from the second step on, Nesterov") {
    for (const bool nesterov : {false, true})
        for (const double dampening : {0.0, 0.25})
            check_against(Sgd{0.9, dampening, nesterov}, [&](double& x, double* s, double g, double t) {
                g += 0.1 * x;
                s[0] = t == 1 ? g : 0.9 * s[0] + (1 - dampening) * g;
                x -= 0.01 * (nesterov ? g + 0.9 * s[0] : s[0]);
            });
}

TEST_CASE("optimizers: tails, cuts, threads and instruction sets do not change a bit") {
    check_bits_of_all_types(Adam{});
    check_bits_of_all_types(AdamW{});
    check_bits_of_all_types(Adagrad{});
    check_bits_of_all_types(Lion{});
    check_bits_of_all_types(Sgd{.momentum = 0.9, .nesterov = true});
    check_bits_of_all_types(Sgd{});
}

TEST_CASE("optimizers: 16-bit weights are the rounded masters, and need not be asked for") {
    const AdamW optimizer;
    Model<bf16, bf16> model(optimizer, 1001), without(optimizer, 1001);
    model.set_gradient(1);
    without.set_gradient(1);
    optimizer.step(at_step(1), model.spans());
    StepSpans<bf16, bf16> spans = without.spans();
    spans.weights = {};
    optimizer.step(at_step(1), spans);
    CHECK(model.master == without.master);
    for (std::size_t i = 0; i < 1001; ++i) REQUIRE(model.weights[i].bits == bf16(model.master[i]).bits);
    CHECK(without.weights[0].bits == 0);
}

TEST_CASE("optimizers: no elements, no step") {
    const AdamW optimizer;
    optimizer.step(at_step(1), StepSpans<float, float>{});
    Model<float, float> model(optimizer, 0);
    optimizer.step(at_step(1), model.spans());
}
