// SPDX-License-Identifier: MIT
//
// The engine that a trainer holds. with_engine() turns a configuration into it: the
// model's type and the stage are chosen here, once.
//
//     dszero::ThreadWorld(4).run([&](auto& comm) {
//         dszero::with_engine(config, layout, comm, [&](auto& engine) {
//             for (auto& batch : batches) {
//                 for (auto& layer : model) { auto w = engine.gather(layer); layer.forward(w, …); }
//                 for (auto& layer : reversed(model)) {
//                     auto w = engine.gather(layer);
//                     layer.backward(w, engine.gradient(layer), engine.backward_scale());
//                     engine.reduce(layer);
//                 }
//                 dszero::StepResult result = engine.step();
//             }
//         });
//     });
//
// Every rank makes the same calls in the same order.
#pragma once

#include <dszero/engine/engine_options.hpp>
#include <dszero/engine/parts/global_norm.hpp>
#include <dszero/engine/parts/gradient_uses.hpp>
#include <dszero/engine/parts/read_back.hpp>
#include <dszero/engine/parts/report_on.hpp>
#include <dszero/engine/stages.hpp>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// What a call of step() did.
struct StepResult {
    bool complete = false;   ///< false: a micro-step, whose gradients wait for the others'
    bool skipped = false;    ///< gradients were not all finite: no weight has changed
    double norm = 0;         ///< of all gradients, unscaled, before clipping; infinite if skipped. NaN
                             ///< where compute_grad_norm is false
    double loss_scale = 1;   ///< from now on
    std::vector<double> lr;  ///< by group: the rates that the step used
};

template <Scalar T, Communicator C>
class Engine {
public:
    Engine(Settings settings, const Layout& layout, C& comm, const EngineOptions& options);
    Engine(const Engine&) = delete;
    Engine& operator=(const Engine&) = delete;

    /// A module's weights, readable while this lives. It must not outlive the engine.
    class Gathered {
    public:
        Gathered(Gathered&& other) noexcept
            : engine_(std::exchange(other.engine_, nullptr)), module_(other.module_) {}
        Gathered& operator=(Gathered&&) = delete;
        ~Gathered() {
            if (engine_) engine_->release(module_);
        }

        /// The i-th parameter of the module's list.
        std::span<const T> operator[](std::size_t i) const {
            if (!engine_) throw std::logic_error("these weights were moved elsewhere");
            return engine_->weight(engine_->layout_.modules[module_].parameters.at(i));
        }
        std::size_t size() const { return engine_ ? engine_->layout_.modules[module_].parameters.size() : 0; }

    private:
        friend class Engine;
        Gathered(Engine& engine, std::size_t module) : engine_(&engine), module_(module) {}
        Engine* engine_;
        std::size_t module_;
    };

    /// Memory for a module's gradients, zero at first: write them, or add to them. Lent until reduce().
    class Gradients {
    public:
        /// Of the i-th parameter of the module's list; empty for a frozen one.
        std::span<T> operator[](std::size_t i) const { return spans_.at(i); }
        std::size_t size() const { return spans_.size(); }

    private:
        friend class Engine;
        std::vector<std::span<T>> spans_;
    };

    /// Collective at stage 3.
    [[nodiscard]] Gathered gather(ModuleId module);
    /// A weight of a module that is gathered. Throws std::logic_error for any other.
    std::span<const T> weight(std::size_t parameter) const;

    /// Collective from stage 2 on, where it may send what came back before.
    [[nodiscard]] Gradients gradient(ModuleId module);
    /// What the loss is to be multiplied by before backward: the loss scale, over the micro-steps.
    float backward_scale() const {
        return static_cast<float>(settings_.loss_scale.value() / static_cast<double>(window_.steps));
    }
    /// A module's gradients are written. Once for each module: a shared parameter is sent after its last one.
    /// Collective.
    void reduce(ModuleId module);

    /// Ends the micro-step and, with the last of them, steps. Collective.
    StepResult step();

    /// All fp32 values of a parameter, or of its state `name`. Collective; at any stage.
    std::vector<float> full_weight(std::size_t parameter);
    std::vector<float> full_state(std::size_t parameter, std::string_view name);

    std::int64_t steps() const { return steps_; }  ///< taken and not skipped
    const LossScale& loss_scale() const { return settings_.loss_scale; }
    const Layout& layout() const { return layout_; }
    /// The rate of a group's next step.
    double lr(std::size_t group) const;
    EngineReport report() const { return report_on(settings_, memory_, comm_, *stage_, log_); }

private:
    enum class Call : unsigned char { gather, gradient, reduce };

    void release(std::size_t module) noexcept;
    void note_call(Call call, ModuleId id) {
        calls_ = (calls_ ^ (4 * id.module + static_cast<std::uint64_t>(call)) ^ 0x9e37) * 0x100000001b3;
    }
    StepScalars scalars(std::size_t group, float inverse_scale) const;

    const Layout& layout_;
    C& comm_;
    Settings settings_;
    Memory memory_;
    std::unique_ptr<ThreadPool> own_pool_;
    ThreadPool& pool_;
    Window window_;
    std::vector<ParameterGroup> groups_;
    std::vector<std::size_t> held_;  ///< by parameter: how many Gathered there are
    LentModules lent_;
    std::unique_ptr<Stage> stage_;
    std::int64_t steps_ = 0;
    std::uint64_t calls_ = 0;  ///< a digest of those in this window that every rank must make
    TrafficLog log_;
};

// --------------------------------------------------------------------- making

/// Calls f with the engine for a configuration.
template <class Config, Communicator C, class F>
decltype(auto) with_engine(const Config& config, const Layout& layout, C& comm, const EngineOptions& options,
                           F&& f) {
    Settings settings = settings_for(config, options, static_cast<std::size_t>(comm.size()));
    return with_scalar(settings.model, [&](auto t) -> decltype(auto) {
        Engine<typename decltype(t)::type, C> engine(std::move(settings), layout, comm, options);
        return f(engine);
    });
}
template <class Config, Communicator C, class F>
decltype(auto) with_engine(const Config& config, const Layout& layout, C& comm, F&& f) {
    return with_engine(config, layout, comm, EngineOptions(), std::forward<F>(f));
}

template <Scalar T, Communicator C>
Engine<T, C>::Engine(Settings settings, const Layout& layout, C& comm, const EngineOptions& options)
    : layout_(checked(layout)),
      comm_(comm),
      settings_(std::move(settings)),
      memory_(options.budgets),
      own_pool_(options.pool ? nullptr : std::make_unique<ThreadPool>(1)),
      pool_(options.pool ? *options.pool : *own_pool_),
      window_{settings_.micro_steps, 0},
      groups_(optimizer_groups(layout)),
      held_(layout.parameters.size()),
      lent_(layout) {
    settings_.placement.optimizer_store.open = settings_.placement.weights_store.open = options.open_store;
    settings_.placement.tiling.tile_elements = options.tile_elements;
    Setup<C> setup{settings_, comm_, layout_, memory_, pool_, *settings_.optimizer, window_, {}};
    switch (settings_.stage) {
        case ZeroStageEnum::disabled: stage_ = std::make_unique<Stage0<C>>(setup); break;
        case ZeroStageEnum::optimizer_states: stage_ = std::make_unique<Stage1<C>>(setup); break;
        case ZeroStageEnum::gradients: stage_ = std::make_unique<Stage2<C>>(setup); break;
        default: stage_ = std::make_unique<Stage3<C>>(setup);
    }
    setup.plan.commit(memory_, comm_, settings_.notes);
    stage_->init();
    log_.begin_window(comm_.traffic());
}

// -------------------------------------------------------- forward and backward

template <Scalar T, Communicator C>
auto Engine<T, C>::gather(ModuleId id) -> Gathered {
    const Module& used = module_of(layout_, id);
    if (settings_.stage == ZeroStageEnum::weights) note_call(Call::gather, id);
    stage_->acquire(id.module);
    for (const std::size_t p : used.parameters) ++held_[p];
    return Gathered(*this, id.module);
}

template <Scalar T, Communicator C>
void Engine<T, C>::release(std::size_t module) noexcept {
    for (const std::size_t p : layout_.modules[module].parameters) --held_[p];
    stage_->release(module);
}

template <Scalar T, Communicator C>
std::span<const T> Engine<T, C>::weight(std::size_t parameter) const {
    if (held_.at(parameter) == 0)
        throw std::logic_error("the weight " + layout_.parameters[parameter].name +
                               " is not gathered: call gather(), and keep what it returns");
    return stage_->weight(parameter).template as<T>();
}

template <Scalar T, Communicator C>
auto Engine<T, C>::gradient(ModuleId id) -> Gradients {
    const Module& used = module_of(layout_, id);
    if (settings_.stage >= ZeroStageEnum::gradients) note_call(Call::gradient, id);
    lent_.lend(id.module);
    Gradients gradients;
    stage_->make_room(id.module);
    for (const std::size_t p : used.parameters)
        gradients.spans_.push_back(layout_.parameters[p].frozen ? std::span<T>()
                                                                : stage_->lend_gradient(p).template as<T>());
    return gradients;
}

template <Scalar T, Communicator C>
void Engine<T, C>::reduce(ModuleId id) {
    const Module& used = module_of(layout_, id);
    note_call(Call::reduce, id);
    lent_.give_back(id.module);
    for (const std::size_t p : used.parameters)
        if (!layout_.parameters[p].frozen) stage_->reduce(p);
    log_.backward_goes_on(comm_.traffic());
}

// ------------------------------------------------------------------------ step

template <Scalar T, Communicator C>
StepResult Engine<T, C>::step() {
    for (std::size_t p = 0; p < held_.size(); ++p)
        if (held_[p] != 0)
            throw std::logic_error("step: the weight " + layout_.parameters[p].name + " is still gathered");
    lent_.end_micro_step();
    stage_->finish_backward();
    log_.end_backward(comm_.traffic());
    StepResult result;
    result.loss_scale = settings_.loss_scale.value();
    if (!window_.last()) {
        ++window_.micro;
        return result;
    }
    window_.micro = 0;

    const double scaled_norm = global_norm(comm_, *stage_, pool_, std::exchange(calls_, 0));
    const double old_scale = settings_.loss_scale.value();
    result.complete = true;
    result.skipped = settings_.check_overflow && !std::isfinite(scaled_norm);
    settings_.loss_scale.update(result.skipped);
    const double scale = settings_.loss_scale.value();
    result.loss_scale = scale;
    // on a step at which the scale grows, stage 3 reports the norm by the new one, as DeepSpeed does
    result.norm = scaled_norm / (settings_.stage == ZeroStageEnum::weights ? scale : old_scale);
    for (std::size_t g = 0; g < groups_.size(); ++g) result.lr.push_back(lr(g));
    if (result.skipped) {
        result.norm = std::numeric_limits<double>::infinity();
    } else {
        const double excess = settings_.clipping > 0 ? (scaled_norm / scale + 1e-6) / settings_.clipping : 1;
        const float inverse_scale = static_cast<float>(1 / (scale * std::max(1.0, excess)));
        stage_->step([&](std::size_t group) { return scalars(group, inverse_scale); });
        ++steps_;
    }
    if (!settings_.compute_norm) result.norm = std::numeric_limits<double>::quiet_NaN();
    log_.end_window(comm_.traffic());
    return result;
}

template <Scalar T, Communicator C>
double Engine<T, C>::lr(std::size_t group) const {
    const double own = groups_.at(group).lr.value_or(settings_.lr);
    return settings_.schedule ? settings_.schedule->rate(steps_, own) : own;
}

template <Scalar T, Communicator C>
StepScalars Engine<T, C>::scalars(std::size_t group, float inverse_scale) const {
    return {.lr = lr(group),
            .weight_decay = groups_[group].weight_decay.value_or(settings_.weight_decay),
            .inverse_scale = inverse_scale,
            .t = steps_ + 1,
            .betas = settings_.schedule ? settings_.schedule->betas(steps_) : std::nullopt};
}

// ------------------------------------------------------------------- read-back

template <Scalar T, Communicator C>
std::vector<float> Engine<T, C>::full_weight(std::size_t parameter) {
    const Traffic before = comm_.traffic();
    std::vector<float> values = read_weight(comm_, *stage_, layout_, parameter);
    log_.leave_out(before, comm_.traffic());
    return values;
}

template <Scalar T, Communicator C>
std::vector<float> Engine<T, C>::full_state(std::size_t parameter, std::string_view name) {
    const Traffic before = comm_.traffic();
    std::vector<float> values =
        read_state(comm_, *stage_, layout_, parameter, settings_.optimizer->states(), name);
    log_.leave_out(before, comm_.traffic());
    return values;
}

}  // namespace dszero
