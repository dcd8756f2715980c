// SPDX-License-Identifier: MIT
//
// An optimizer behind one virtual call per segment: the stages hand over views and
// need not know which one it is, nor in which types gradients and weights are.
#pragma once

#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/optimizer.hpp>
#include <dszero/engine/threads/thread_pool.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dszero {

/// What one step of one segment works on; all equally long. `weights` is empty where the master is the
/// weight.
struct StepViews {
    std::span<float> master;
    std::array<std::span<float>, most_optimizer_states> states;
    View gradient;
    View weights;
};

class ErasedOptimizer {
public:
    template <class O>
    requires(!std::same_as<O, ErasedOptimizer> && Optimizer<O>) explicit ErasedOptimizer(O optimizer)
        : held_(std::make_shared<const Holder<O>>(std::move(optimizer))) {
        if (states().size() > most_optimizer_states)
            throw std::invalid_argument("an optimizer may have at most " +
                                        std::to_string(most_optimizer_states) + " states, not " +
                                        std::to_string(states().size()));
    }

    const std::vector<OptimizerState>& states() const { return held_->states; }
    void step(ThreadPool& pool, const StepScalars& scalars, const StepViews& views) const {
        held_->step(pool, scalars, views);
    }

private:
    struct Held {
        std::vector<OptimizerState> states;
        virtual ~Held() = default;
        virtual void step(ThreadPool&, const StepScalars&, const StepViews&) const = 0;
    };

    template <Optimizer O>
    struct Holder final : Held {
        O optimizer;

        explicit Holder(O o) : optimizer(std::move(o)) {
            for (const OptimizerState& state : optimizer.states()) this->states.push_back(state);
        }
        void step(ThreadPool& pool, const StepScalars& scalars, const StepViews& views) const override {
            const ScalarType model = views.weights.type;  // fp32 also where the master is the weight
            with_scalar(model, [&](auto m) {
                using Weight = typename decltype(m)::type;
                if (views.gradient.type == ScalarType::fp32)
                    step_as<float, Weight>(pool, scalars, views);
                else if (views.gradient.type == scalar_type<Weight>)
                    step_as<Weight, Weight>(pool, scalars, views);
                else
                    throw std::logic_error("a model of " + std::string(to_string(model)) +
                                           " cannot step with gradients of " +
                                           std::string(to_string(views.gradient.type)));
            });
        }
        template <Scalar Gradient, Scalar Weight>
        void step_as(ThreadPool& pool, const StepScalars& scalars, const StepViews& views) const {
            StepSpans<Gradient, Weight> spans{
                views.master, views.states, views.gradient.template as<Gradient>(), {}};
            if (views.weights.data) spans.weights = views.weights.template as<Weight>();
            dszero::step(pool, optimizer, scalars, spans);
        }
    };

    std::shared_ptr<const Held> held_;
};

}  // namespace dszero
