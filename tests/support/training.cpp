// SPDX-License-Identifier: MIT
#include "support/training.hpp"

#include <mutex>

namespace dszero {

template class Engine<float, ThreadCommunicator>;
template class Engine<bf16, ThreadCommunicator>;
template class Engine<fp16, ThreadCommunicator>;
template Settings settings_for(const test::EngineConfig&, const EngineOptions&, std::size_t);

}  // namespace dszero

namespace test {

Outcome train(const EngineConfig& config, const Layout& layout, const Run& run,
              const EngineOptions& options) {
    Outcome outcome;
    outcome.reports.resize(run.ranks);
    std::mutex mutex;
    ThreadWorld(static_cast<int>(run.ranks)).run([&](auto& comm) {
        with_engine(config, layout, comm, options, [&](auto& engine) {
            const auto rank = static_cast<std::size_t>(comm.rank());
            std::vector<double> norms;
            for (int s = 0; s < run.steps; ++s) {
                StepResult result;
                for (int m = 0; !result.complete; ++m) {
                    pass(engine, rank, s, m);
                    result = engine.step();
                }
                norms.push_back(result.norm);
            }
            const EngineReport report = engine.report();
            const auto bits = bits_of(engine);
            const std::lock_guard lock(mutex);
            outcome.reports[rank] = report;
            if (rank == 0)
                outcome.bits = bits, outcome.norms = norms;
            else if (bits != outcome.bits && !outcome.bits.empty())
                outcome.bits.clear();
        });
    });
    return outcome;
}

Outcome train(const Run& run) { return train(config_for(run), odd_layout(), run); }

}  // namespace test
