// SPDX-License-Identifier: MIT
//
// A document read, checked and converted, positions included: its zero section alone, all of
// it, and all of it with lint. Compare with read_by_nlohmann_parse, which only reads;
// tests/benchmark/run prints the ratios.
#include "corpus.hpp"

#include <dszero/config/document.hpp>
#include <dszero/lint/review.hpp>

namespace {

void read_check_zero_section(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        dszero::Document document = dszero::parse(source.text, {.scope = dszero::Scope::zero_section});
        benchmark::DoNotOptimize(document);
    });
}

void read_check_document(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        dszero::Document document = dszero::parse(source.text);
        benchmark::DoNotOptimize(document);
    });
}

void read_check_and_lint_document(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        dszero::Review review = dszero::review(dszero::parse(source.text));
        benchmark::DoNotOptimize(review);
    });
}

BENCHMARK(read_check_zero_section)->Unit(benchmark::kMillisecond);
BENCHMARK(read_check_document)->Unit(benchmark::kMillisecond);
BENCHMARK(read_check_and_lint_document)->Unit(benchmark::kMillisecond);

}  // namespace
