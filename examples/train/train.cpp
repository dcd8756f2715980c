// SPDX-License-Identifier: MIT
//
// How a trainer uses the engine; this file is all of it. The model (gpt.hpp) computes,
// layer by layer, and does not know what a rank is. The engine gathers, reduces, steps.
// At which stage, in which type, and where things live: the configuration says it to
// with_engine(), and nothing below asks.
#include "train.hpp"

#include <dszero/engine/engine.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include <chrono>
#include <cstdio>
#include <numeric>
#include <span>
#include <string>
#include <utility>

namespace gpt {

namespace {

/// What the engine lends is of the model's type; the model computes in fp32, on copies. These, like the
/// activations, are the trainer's own memory: the engine's accounts do not have them.
template <class Lent>
Tensors in_fp32(const Lent& lent) {
    Tensors copy(lent.size());
    for (std::size_t i = 0; i < lent.size(); ++i) {
        const auto values = lent[i];
        copy[i].resize(values.size());
        dszero::convert<typename decltype(values)::value_type, float>(values, copy[i]);
    }
    return copy;
}
template <class Lent>
void write_back(const Tensors& copy, const Lent& lent) {
    for (std::size_t i = 0; i < lent.size(); ++i) {
        const auto values = lent[i];
        dszero::convert<float, typename decltype(values)::value_type>(copy[i], values);
    }
}

/// Up through the layers and down again. Returns the loss.
template <class Engine>
double forward_and_backward(Engine& engine, const Gpt& model, Pass pass) {
    for (const auto& layer : model.layers()) {
        const auto weights = engine.gather(*layer);  // released where the scope ends
        layer->forward(in_fp32(weights), pass);
    }
    pass.backward_scale = engine.backward_scale();
    for (auto at = model.layers().rbegin(); at != model.layers().rend(); ++at) {
        Layer& layer = **at;
        const auto weights = engine.gather(layer);
        const auto lent = engine.gradient(layer);
        Tensors gradients = in_fp32(lent);  // not zero where another layer has the same parameter
        layer.backward(in_fp32(weights), gradients, pass);
        write_back(gradients, lent);
        engine.reduce(layer);
    }
    return pass.loss;
}

/// The mean over all ranks. Collective, as is the next.
template <class Communicator>
double mean(Communicator& comm, double value) {
    const std::vector<double> values = dszero::all_gather_values(comm, value);
    return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

template <class Engine>
std::vector<float> all_weights(Engine& engine) {
    std::vector<float> all;
    for (std::size_t p = 0; p < engine.layout().parameters.size(); ++p) {
        const std::vector<float> values = engine.full_weight(p);
        all.insert(all.end(), values.begin(), values.end());
    }
    return all;
}

/// Prints a line now and then, and whenever a step is skipped.
class Progress {
public:
    Progress(const TrainOptions& options, std::int64_t tokens_per_step)
        : every_(options.progress_every), last_step_(options.steps), tokens_per_step_(tokens_per_step) {}

    void after(std::size_t step, double loss, const dszero::StepResult& result) {
        ++steps_;
        if (every_ == 0) return;
        if (step != 1 && step % every_ != 0 && step != last_step_ && !result.skipped) return;
        const auto now = std::chrono::steady_clock::now();
        const double seconds = std::chrono::duration<double>(now - since_).count();
        const double speed = static_cast<double>(steps_ * tokens_per_step_) / seconds;
        std::printf("step %4zu  loss %6.3f  scale %7.0f  norm %8.3f  %9.0f tokens/s%s\n", step, loss,
                    result.loss_scale, result.norm, speed,
                    result.skipped ? "  skipped: gradients overflow" : "");
        std::fflush(stdout);
        since_ = now;
        steps_ = 0;
    }

private:
    std::size_t every_, last_step_;
    std::int64_t tokens_per_step_, steps_ = 0;
    std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
};

}  // namespace

Run train(const dszero::DeepSpeedConfig& config, const Text& text, const TrainOptions& options) {
    const dszero::Batch batch = dszero::complete_batch(config, options.ranks);
    const auto ranks = static_cast<std::size_t>(options.ranks);
    const auto sequences = static_cast<std::size_t>(batch.micro);  // of one rank's micro-step
    dszero::ThreadPool pool(1 + static_cast<unsigned>(ranks) * (options.threads_per_rank - 1));
    const dszero::EngineOptions engine_options{
        .budgets = options.budgets, .pool = &pool, .tile_elements = options.tile_elements};
    Run run;
    run.reports.resize(ranks);

    dszero::ThreadWorld(options.ranks).run([&](auto& comm) {
        const auto rank = static_cast<std::size_t>(comm.rank());
        const Gpt model(options.shape);
        dszero::with_engine(config, model.layout(), comm, engine_options, [&](auto& engine) {
            Progress progress(options, batch.train * static_cast<std::int64_t>(options.shape.context));
            std::uint64_t seen = 0;  // sequences, by all ranks
            for (std::size_t step = 1; step <= options.steps; ++step) {
                double loss = 0;
                dszero::StepResult result;
                while (!result.complete) {
                    const Sequences mine =
                        text.sequences(seen + rank * sequences, sequences, options.shape.context);
                    loss += forward_and_backward(engine, model, {.sequences = mine, .pool = pool});
                    result = engine.step();
                    seen += ranks * sequences;
                }
                loss = mean(comm, loss / static_cast<double>(batch.accumulation));
                if (rank != 0) continue;
                run.losses.push_back(loss);
                run.skipped += result.skipped;
                progress.after(step, loss, result);
            }
            run.reports[rank] = engine.report();
            std::vector<float> weights = all_weights(engine);
            if (rank == 0) run.weights = std::move(weights);
        });
    });
    return run;
}

}  // namespace gpt
