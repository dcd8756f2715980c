// SPDX-License-Identifier: MIT
//
// Reading with positions against nlohmann::ordered_json::parse alone, over the real
// configurations that strict JSON accepts. What counts is the ratio of the medians of
// interleaved repetitions:
//
//     dszero_benchmark --benchmark_filter=read --benchmark_repetitions=21
//         --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include "corpus.hpp"

namespace {

void read_with_positions(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        dszero::Tree tree;
        dszero::Diagnostics problems;
        benchmark::DoNotOptimize(dszero::read(source, {}, tree, problems));
        benchmark::DoNotOptimize(tree.value);
    });
}

void read_as_python_json(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        dszero::Tree tree;
        dszero::Diagnostics problems;
        dszero::ReadOptions options;
        options.dialect = dszero::Dialect::json;
        benchmark::DoNotOptimize(dszero::read(source, options, tree, problems));
        benchmark::DoNotOptimize(tree.value);
    });
}

void read_by_nlohmann_parse(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        nlohmann::ordered_json value = nlohmann::ordered_json::parse(source.text);
        benchmark::DoNotOptimize(value);
    });
}

BENCHMARK(read_with_positions)->Unit(benchmark::kMillisecond);
BENCHMARK(read_as_python_json)->Unit(benchmark::kMillisecond);
BENCHMARK(read_by_nlohmann_parse)->Unit(benchmark::kMillisecond);

}  // namespace
