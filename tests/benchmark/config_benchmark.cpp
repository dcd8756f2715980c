// SPDX-License-Identifier: MIT
//
// The ways to read a document: by nlohmann::ordered_json::parse, which only reads, by dszero
// with positions, then checked and converted as well, and with lint. Each alone, and all of
// them in turns, from which tests/benchmark/run takes its ratios:
//
//     dszero_benchmark --benchmark_filter=read_in_turns
#include "corpus.hpp"

#include <dszero/config/document.hpp>
#include <dszero/lint/review.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <ctime>
#include <functional>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct Way {
    const char* name;
    void (*read)(const dszero::Source&);
};

void read_tree(const dszero::Source& source, dszero::Dialect dialect) {
    dszero::Tree tree;
    dszero::Diagnostics problems;
    dszero::ReadOptions options;
    options.dialect = dialect;
    benchmark::DoNotOptimize(dszero::read(source, options, tree, problems));
    benchmark::DoNotOptimize(tree.value);
}

constexpr Way ways[] = {
    {"read_by_nlohmann_parse",
     [](const dszero::Source& source) {
         nlohmann::ordered_json value = nlohmann::ordered_json::parse(source.text);
         benchmark::DoNotOptimize(value);
     }},
    {"read_with_positions", [](const dszero::Source& source) { read_tree(source, dszero::Dialect::hjson); }},
    {"read_as_python_json", [](const dszero::Source& source) { read_tree(source, dszero::Dialect::json); }},
    {"read_check_zero_section",
     [](const dszero::Source& source) {
         dszero::Document document = dszero::parse(source.text, {.scope = dszero::Scope::zero_section});
         benchmark::DoNotOptimize(document);
     }},
    {"read_check_document",
     [](const dszero::Source& source) {
         dszero::Document document = dszero::parse(source.text);
         benchmark::DoNotOptimize(document);
     }},
    {"read_check_and_lint_document",
     [](const dszero::Source& source) {
         dszero::Review review = dszero::review(dszero::parse(source.text));
         benchmark::DoNotOptimize(review);
     }},
};

/// One pass over all documents an iteration.
void read_alone(benchmark::State& state, const Way& way) {
    if (documents().empty()) return state.SkipWithError(no_documents);
    std::int64_t bytes = 0;
    for (const dszero::Source& source : documents()) bytes += static_cast<std::int64_t>(source.text.size());
    for (auto _ : state)
        for (const dszero::Source& source : documents()) way.read(source);
    state.SetBytesProcessed(state.iterations() * bytes);
}

double median(std::vector<double> values) {
    const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
    std::nth_element(values.begin(), middle, values.end());
    return *middle;
}

/// A pass of each way an iteration: what disturbs the machine disturbs all of them. Medians over
/// the iterations: of CPU microseconds a document ("us:WAY"), of the ratio to nlohmann's within an
/// iteration ("ratio:WAY"), and of that between a document with lint and its zero section alone.
void read_in_turns(benchmark::State& state) {
    if (documents().empty()) return state.SkipWithError(no_documents);
    std::vector<double> took[std::size(ways)];
    for (auto _ : state)
        for (std::size_t i = 0; i < std::size(ways); ++i) {
            const std::clock_t before = std::clock();
            for (const dszero::Source& source : documents()) ways[i].read(source);
            took[i].push_back(static_cast<double>(std::clock() - before) * 1e6 / CLOCKS_PER_SEC);
        }
    const auto place = [](std::string_view name) {
        return static_cast<std::size_t>(
            std::find_if(std::begin(ways), std::end(ways), [&](const Way& way) { return way.name == name; }) -
            std::begin(ways));
    };
    const auto add_ratio = [&](std::string name, std::string_view of, std::string_view to) {
        std::vector<double> ratios;
        std::transform(took[place(of)].begin(), took[place(of)].end(), took[place(to)].begin(),
                       std::back_inserter(ratios), std::divides<>());
        state.counters[name] = median(ratios);
    };
    const double count = static_cast<double>(documents().size());
    state.counters["documents"] = count;
    for (const Way& way : ways) {
        state.counters[std::string("us:") + way.name] = median(took[place(way.name)]) / count;
        add_ratio(std::string("ratio:") + way.name, way.name, "read_by_nlohmann_parse");
    }
    add_ratio("ratio:lint_to_zero_section", "read_check_and_lint_document", "read_check_zero_section");
}

BENCHMARK(read_in_turns)->Iterations(101)->Unit(benchmark::kMillisecond);

[[maybe_unused]] const bool registered = [] {
    for (const Way& way : ways)
        benchmark::RegisterBenchmark(way.name, read_alone, way)->Unit(benchmark::kMillisecond);
    return true;
}();

}  // namespace
