// SPDX-License-Identifier: MIT
//
// Reading with positions against nlohmann::ordered_json::parse alone, over the real
// configurations that strict JSON accepts. What counts is the ratio of the medians of
// interleaved repetitions:
//
//     dszero_benchmark --benchmark_filter=read --benchmark_repetitions=21
//         --benchmark_enable_random_interleaving=true --benchmark_report_aggregates_only=true
#include <dszero/text/reader.hpp>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

/// Every configuration of the corpus that both readers accept.
const std::vector<dszero::Source>& documents() {
    static const std::vector<dszero::Source> all = [] {
        std::vector<dszero::Source> sources;
        const std::filesystem::path corpus = std::filesystem::path(DSZERO_SHARED) / "corpus";
        if (!std::filesystem::exists(corpus)) return sources;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
            if (entry.path().extension() != ".json") continue;
            std::ifstream file(entry.path(), std::ios::binary);
            dszero::Source source{entry.path().string(), {std::istreambuf_iterator<char>(file), {}}};
            dszero::Tree tree;
            dszero::Diagnostics problems;
            if (nlohmann::ordered_json::accept(source.text) && dszero::read(source, {}, tree, problems))
                sources.push_back(std::move(source));
        }
        return sources;
    }();
    return all;
}

template <typename Read>
void over_all_documents(benchmark::State& state, Read read) {
    std::int64_t bytes = 0;
    for (const dszero::Source& source : documents()) bytes += static_cast<std::int64_t>(source.text.size());
    if (bytes == 0) return state.SkipWithError("no corpus beside the checkout");
    for (auto _ : state)
        for (const dszero::Source& source : documents()) read(source);
    state.SetBytesProcessed(state.iterations() * bytes);
    state.counters["documents"] = static_cast<double>(documents().size());
}

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
