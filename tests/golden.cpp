// SPDX-License-Identifier: MIT
//
// dszero_golden: replays what the real DeepSpeed did through the real engine, one rank
// a thread, and compares. One line a scenario; the exit status is 0 if every one that
// is a reference meets its bars, and there was at least one.
//
// Scenarios: the folder in DSZERO_SCENARIOS (.json, .json.gz), else tests/data/engine.

#include "support/compare_layout.hpp"
#include "support/engine_instances.hpp"
#include "support/scenario.hpp"
#include "support/scratch_directory.hpp"

#include <cmath>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace {

using namespace dszero;
using test::Scenario;

/// What rank 0 saw in one step: all that was recorded.
struct Observed {
    StepResult result;
    std::int64_t hysteresis = 0;
    std::vector<std::vector<std::vector<float>>> values;  ///< quantity, parameter, element
    std::uint64_t reduced_elements = 0;
    std::uint64_t gathered_elements = 0;
};

const std::vector<std::string> quantities = {"fp32", "exp_avg", "exp_avg_sq"};

/// How far a value may be off.
struct Bars {
    std::vector<double> absolute;  ///< by quantity
    double norm = 1e-6;            ///< relative
};

Bars bars_of(const Scenario& scenario) {
    if (scenario.sixteen_bit() && scenario.ranks() >= 3) return {{2e-3, 5e-3, 1e-4}, 5e-3};
    return {{1e-6, 1e-6, 1e-6}, 1e-6};
}

// --------------------------------------------------------------------- replay

/// Forward and backward of one micro-step, as the recorded model did them.
template <class Engine>
double run_micro_step(const Scenario& scenario, Engine& engine, std::size_t rank, std::size_t step,
                      std::size_t micro) {
    const Layout& layout = engine.layout();
    double loss = 0;
    for (std::size_t m = 0; m < layout.modules.size(); ++m) {
        const auto w = engine.gather({m});
        for (std::size_t i = 0; i < w.size(); ++i) {
            const std::size_t p = layout.modules[m].parameters[i];
            const std::vector<float> fed = scenario.all_fed(p, w[i].size(), rank, step, micro);
            for (std::size_t j = 0; j < fed.size(); ++j) {
                const float weight = w[i][j], d = weight - fed[j];
                loss += scenario.quadratic() ? (0.5f * d) * d : weight * fed[j];
            }
        }
    }
    const float upstream = engine.backward_scale();
    for (std::size_t m = layout.modules.size(); m-- > 0;) {
        const auto w = engine.gather({m});
        const auto gradients = engine.gradient({m});
        for (std::size_t i = 0; i < w.size(); ++i) {
            const auto g = gradients[i];
            const std::size_t p = layout.modules[m].parameters[i];
            const std::vector<float> fed = scenario.all_fed(p, g.size(), rank, step, micro);
            for (std::size_t j = 0; j < g.size(); ++j) {
                const float weight = w[i][j];
                using T = std::remove_cvref_t<decltype(g[j])>;
                g[j] = static_cast<T>(upstream * (scenario.quadratic() ? weight - fed[j] : fed[j]));
            }
        }
        engine.reduce({m});
    }
    return loss;
}

template <class Engine>
std::vector<std::vector<std::vector<float>>> read_values(const Scenario& scenario, Engine& engine) {
    std::vector<std::vector<std::vector<float>>> values(quantities.size());
    const Layout& layout = engine.layout();
    const Json& last = scenario.steps().back()["samples"];
    for (std::size_t q = 0; q < quantities.size(); ++q)
        for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
            const std::string hex = last.value(quantities[q], std::string());
            values[q].emplace_back();
            if (q == 0)
                values[q].back() = engine.full_weight(p);
            else if (!layout.parameters[p].frozen && hex.find_first_not_of('.') != std::string::npos)
                values[q].back() = engine.full_state(p, quantities[q]);
        }
    return values;
}

/// Whether every weight that the model sees is its master, rounded.
template <class Engine>
void check_weights(Engine& engine, const std::vector<std::vector<float>>& masters) {
    const Layout& layout = engine.layout();
    for (std::size_t m = 0; m < layout.modules.size(); ++m) {
        const auto w = engine.gather({m});
        for (std::size_t i = 0; i < w.size(); ++i)
            for (std::size_t j = 0; j < w[i].size(); ++j) {
                using T = std::remove_cvref_t<decltype(w[i][j])>;
                const std::size_t p = layout.modules[m].parameters[i];
                if (static_cast<float>(static_cast<T>(masters[p][j])) != static_cast<float>(w[i][j]))
                    throw std::runtime_error("the weight " + layout.parameters[p].name +
                                             " is not its rounded master");
            }
    }
}

/// Whether the optimizer's states are where the configuration says, the part of them that `ratio` moves
/// there.
void check_home(const test::EngineConfig& config, const EngineReport& report) {
    const auto& offload = config.zero_config.offload_optimizer;
    const OffloadDeviceEnum device = offload ? offload->device : OffloadDeviceEnum::none;
    for (std::size_t t = 0; t < tier_count; ++t) {
        const bool here = t == static_cast<std::size_t>(device);
        const bool some =
            report.memory.tiers[t].by_purpose[static_cast<std::size_t>(Purpose::moments)].current_bytes != 0;
        if (some != here && (here || !offload || offload->ratio == 1))
            throw std::runtime_error("the optimizer's states are not on " + std::string(to_string(device)));
    }
}

std::vector<Observed> replay(const Scenario& scenario, const test::EngineConfig& config,
                             const Layout& layout) {
    std::vector<Observed> seen;
    ThreadWorld(static_cast<int>(scenario.ranks())).run([&](auto& comm) {
        const auto rank = static_cast<std::size_t>(comm.rank());
        with_engine(config, layout, comm, [&](auto& engine) {
            for (std::size_t s = 0; s < scenario.steps().size(); ++s) {
                const Json& recorded = scenario.steps()[s];
                Observed now;
                for (std::size_t m = 0; !now.result.complete; ++m) {
                    const float upstream = std::stof(recorded["upstream"].at(m).get<std::string>());
                    if (upstream != engine.backward_scale()) throw std::runtime_error("backward_scale");
                    const double loss = run_micro_step(scenario, engine, rank, s, m);
                    const double told = std::stod(recorded["loss"][rank][m].get<std::string>());
                    // the losses of 16-bit runs follow weights that may differ by a rounding
                    const double slack = scenario.sixteen_bit() ? 2e-2 : 1e-5;
                    if (std::isfinite(told) &&
                        !(std::fabs(loss - told) <= slack * std::max(1.0, std::fabs(told))))
                        throw std::runtime_error("loss " + std::to_string(loss) + " instead of " +
                                                 std::to_string(told));
                    now.result = engine.step();
                }
                const Traffic sent = engine.report().traffic.last_step();
                now.reduced_elements =
                    sent[Collective::all_reduce].elements + sent[Collective::reduce_scatter].elements;
                now.gathered_elements = sent[Collective::all_gather].elements;
                now.hysteresis = engine.loss_scale().hysteresis();
                now.values = read_values(scenario, engine);
                if (s + 1 == scenario.steps().size()) {
                    check_weights(engine, now.values[0]);
                    check_home(config, engine.report());
                }
                if (rank == 0) seen.push_back(std::move(now));
            }
        });
    });
    return seen;
}

// ----------------------------------------------------------------- comparison

/// The largest differences, and what is wrong beyond the bars.
struct Comparison {
    std::vector<double> largest = std::vector<double>(quantities.size());
    double norm = 0;
    std::string problem;
    bool volumes_differ = false;

    void fail(std::size_t step, const std::string& what) {
        if (problem.empty()) problem = "step " + std::to_string(step) + ": " + what;
    }
};

void compare_value(Comparison& c, std::size_t q, float ours, std::optional<float> theirs) {
    if (!theirs) return;
    const double difference = std::fabs(static_cast<double>(ours) - static_cast<double>(*theirs));
    c.largest[q] =
        std::max(c.largest[q], std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference);
}

void compare_values(Comparison& c, const Scenario& scenario, const Layout& layout, std::size_t s,
                    const Observed& seen) {
    const Json& recorded = scenario.steps()[s];
    for (std::size_t q = 0; q < quantities.size(); ++q) {
        const auto samples = test::floats_in(recorded["samples"].value(quantities[q], std::string()));
        std::size_t i = 0;
        for (std::size_t p = 0; p < layout.parameters.size(); ++p)
            for (const Json& element :
                 scenario.json["sample_index"].value(layout.parameters[p].name, Json::array())) {
                if (i < samples.size() && !seen.values[q][p].empty())
                    compare_value(c, q, seen.values[q][p].at(element.get<std::size_t>()), samples[i]);
                ++i;
            }
        const auto full = scenario.json["full"].find(std::to_string(s));
        if (full == scenario.json["full"].end() || !full->contains(quantities[q])) continue;
        for (const auto& [name, hex] : (*full)[quantities[q]].items()) {
            const std::size_t p = scenario.index_of(name);
            const auto values = test::floats_in(hex.get<std::string>());
            if (seen.values[q][p].empty()) continue;
            for (std::size_t j = 0; j < values.size(); ++j)
                compare_value(c, q, seen.values[q][p].at(j), values[j]);
        }
    }
}

void compare_step(Comparison& c, const Scenario& scenario, std::size_t s, const Observed& seen) {
    const Json& recorded = scenario.steps()[s];
    const auto number = [&](const char* key) { return std::stod(recorded[key].get<std::string>()); };
    const bool skipped = recorded["overflow"] == true;
    if (seen.result.skipped != skipped) c.fail(s, skipped ? "not skipped" : "skipped");
    if (recorded["loss_scale"].is_string() && seen.result.loss_scale != number("loss_scale"))
        c.fail(s, "loss scale");
    if (recorded.contains("cur_hysteresis") && recorded["cur_hysteresis"] != seen.hysteresis)
        c.fail(s, "hysteresis");
    if (recorded["grad_norm"].is_string()) {
        const double norm = number("grad_norm");
        if (!std::isfinite(norm)) {
            if (std::isfinite(seen.result.norm)) c.fail(s, "norm is finite");
        } else {
            c.norm = std::max(c.norm, std::fabs(seen.result.norm - norm) / std::max(norm, 1e-30));
        }
    }
    for (std::size_t g = 0; g < seen.result.lr.size() && g < recorded["lr_used"].size(); ++g)
        if (std::fabs(seen.result.lr[g] - std::stod(recorded["lr_used"][g].get<std::string>())) > 1e-12)
            c.fail(s, "lr");
    if (!recorded.contains("comm")) return;
    std::uint64_t reduced = 0, gathered = 0;
    for (const auto& [call, counts] : recorded["comm"].items()) {
        if (call.ends_with(":scalar")) continue;
        if (call.starts_with("all_reduce") || call.starts_with("reduce"))
            reduced += counts[1].get<std::uint64_t>();
        if (call.starts_with("all_gather")) gathered += counts[1].get<std::uint64_t>();
    }
    // in the first step stage 3 records the order of use, and DeepSpeed a little more often
    const bool recording = scenario.stage() == 3 && s == 0;
    if (reduced != seen.reduced_elements || (!recording && gathered != seen.gathered_elements))
        c.volumes_differ = true;
}

Comparison compare(const Scenario& scenario, const Layout& layout, const std::vector<Observed>& seen) {
    Comparison c;
    const Bars bars = bars_of(scenario);
    for (std::size_t s = 0; s < seen.size(); ++s) {
        compare_step(c, scenario, s, seen[s]);
        compare_values(c, scenario, layout, s, seen[s]);
        for (std::size_t q = 0; q < quantities.size(); ++q)
            if (!(c.largest[q] <= bars.absolute[q])) c.fail(s, quantities[q] + " is off");
        if (!(c.norm <= bars.norm)) c.fail(s, "norm is off");
    }
    return c;
}

/// True if the scenario meets its bars.
bool check(const Scenario& scenario) {
    std::string problem, figures;
    try {
        const test::ScratchDirectory nvme;
        const test::EngineConfig config =
            test::engine_config(scenario.config_on(nvme.path()), scenario.ranks());
        const Layout layout = scenario.layout();
        problem = test::compare_layout(scenario, config, layout);
        const Comparison c = compare(scenario, layout, replay(scenario, config, layout));
        if (problem.empty()) problem = c.problem;
        if (problem.empty() && !nvme.empty()) problem = "files are left behind";
        char text[160];
        std::snprintf(text, sizeof text, "dx %.0e  dm %.0e  dv %.0e  norm %.0e%s", c.largest[0], c.largest[1],
                      c.largest[2], c.norm, c.volumes_differ ? "  (other volumes than recorded)" : "");
        figures = text;
    } catch (const std::exception& e) {
        problem = e.what();
    }
    std::printf("%s %-36s %s%s%s\n", problem.empty() ? "ok  " : "FAIL", scenario.name.c_str(),
                figures.c_str(), problem.empty() ? "" : "  ", problem.c_str());
    std::fflush(stdout);
    return problem.empty();
}

}  // namespace

int main() {
    const char* given = std::getenv("DSZERO_SCENARIOS");
    const std::string folder = given && *given ? given : DSZERO_TEST_DATA "/engine";
    try {
        std::size_t good = 0, bad = 0, skipped = 0;
        for (const Scenario& scenario : test::scenarios_in(folder)) {
            const std::string why = scenario.why_skipped();
            if (!why.empty()) {
                std::printf("skip %-36s %s\n", scenario.name.c_str(), why.c_str());
                ++skipped;
            } else {
                ++(check(scenario) ? good : bad);
            }
        }
        std::printf("%zu scenarios replayed, %zu of them missed; %zu skipped (%s)\n", good + bad, bad,
                    skipped, folder.c_str());
        if (good + bad == 0) std::printf("nothing to replay: that is a failure\n");
        return bad == 0 && good > 0 ? 0 : 1;
    } catch (const std::exception& e) {
        std::printf("%s\n", e.what());
        return 1;
    }
}
