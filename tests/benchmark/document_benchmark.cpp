// SPDX-License-Identifier: MIT
//
// A whole document read, checked and converted, positions included. Compare with
// read_by_nlohmann_parse, which only reads; tests/benchmark/run prints the ratio.
#include "corpus.hpp"

#include <dszero/config/document.hpp>

namespace {

void read_check_and_convert(benchmark::State& state) {
    over_all_documents(state, [](const dszero::Source& source) {
        dszero::Document document = dszero::parse(source.text);
        benchmark::DoNotOptimize(document);
    });
}

BENCHMARK(read_check_and_convert)->Unit(benchmark::kMillisecond);

}  // namespace
