// SPDX-License-Identifier: MIT
//
// The engine's parts by themselves; beside their peers they stand in run_engine.
//
//     dszero_benchmark --benchmark_filter='engine'
#include <dszero/engine/memory.hpp>
#include <dszero/engine/numeric/exact_sum.hpp>
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <vector>

namespace {

using namespace dszero;

void engine_memcpy(benchmark::State& state) {
    const std::size_t bytes = static_cast<std::size_t>(state.range(0)) << 20;
    Account account(Tier::device);
    Buffer<std::byte> from(account, Purpose::staging, bytes), to(account, Purpose::staging, bytes);
    for (auto _ : state) benchmark::DoNotOptimize(std::memcpy(to.data(), from.data(), bytes));
    state.SetBytesProcessed(static_cast<std::int64_t>(bytes) * state.iterations());
}

/// Two ranks; each writes its input before every repetition, as backward would. Rank 0's time.
template <typename Call>
void between_two_ranks(benchmark::State& state, const Call& call) {
    const std::size_t elements = static_cast<std::size_t>(state.range(0)) << 18;
    ThreadWorld{2}.run([&](auto& comm) {
        Account account(Tier::device);
        Buffer<float> one(account, Purpose::staging, elements), both(account, Purpose::staging, 2 * elements);
        const std::vector<Share> halves = equal_shares(2 * elements, 2);
        // Only rank 0 may ask the state; it tells the other.
        while (all_gather_values(comm, int{comm.rank() == 0 && state.KeepRunning()})[0]) {
            std::fill(one.begin(), one.end(), 1.0f);
            std::fill(both.begin(), both.end(), 1.0f);
            barrier(comm);
            barrier(comm);
            const auto before = std::chrono::steady_clock::now();
            call(comm, one.span(), both.span(), halves);
            const std::chrono::duration<double> took = std::chrono::steady_clock::now() - before;
            if (comm.rank() == 0) state.SetIterationTime(took.count());
        }
    });
    state.SetBytesProcessed(static_cast<std::int64_t>(elements * sizeof(float)) * state.iterations());
}

void engine_all_reduce(benchmark::State& state) {
    between_two_ranks(state,
                      [](auto& comm, std::span<float> one, auto, const auto&) { all_reduce(comm, one); });
}
void engine_all_gather(benchmark::State& state) {
    between_two_ranks(state, [](auto& comm, std::span<float> one, std::span<float> both, const auto& halves) {
        all_gather(comm, one, both, halves);
    });
}
void engine_reduce_scatter(benchmark::State& state) {
    between_two_ranks(state, [](auto& comm, std::span<float> one, std::span<float> both, const auto& halves) {
        reduce_scatter(comm, both, one, halves);
    });
}

void engine_barrier(benchmark::State& state) {
    ThreadWorld{2}.run([&](auto& comm) {
        while (all_gather_values(comm, int{comm.rank() == 0 && state.KeepRunningBatch(1000)})[0])
            for (int i = 0; i < 1000; ++i) barrier(comm);
    });
}

template <Scalar T>
void engine_adamw(benchmark::State& state) {
    constexpr std::size_t elements = 20'000'000;
    Account account(Tier::device);
    Buffer<float> master(account, Purpose::master_weights, elements), m(account, Purpose::moments, elements),
        v(account, Purpose::moments, elements);
    Buffer<T> gradient(account, Purpose::gradients, elements), weights(account, Purpose::weights, elements);
    ThreadPool pool(static_cast<unsigned>(state.range(0)));
    StepSpans<T, T> spans{master.span(), {m.span(), v.span()}, gradient.span(), weights.span()};
    if (std::same_as<T, float>) spans.weights = {};
    StepScalars at{.lr = 1e-3, .weight_decay = 0.01};
    for (auto _ : state) {
        step(pool, AdamW(), at, spans);
        ++at.t;
    }
    state.SetItemsProcessed(static_cast<std::int64_t>(elements) * state.iterations());
}

template <Scalar From, Scalar To>
void engine_convert(benchmark::State& state) {
    const std::vector<From> from(1 << 18);
    std::vector<To> to(from.size());
    for (auto _ : state) {
        convert(std::span<const From>(from), std::span<To>(to));
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(from.size() * (sizeof(From) + sizeof(To))) *
                            state.iterations());
}

void engine_exact_sum(benchmark::State& state) {
    const std::vector<float> values(1 << 22, 0.1f);
    for (auto _ : state) {
        ExactSum sum;
        sum.add_squares(std::span<const float>(values));
        benchmark::DoNotOptimize(sum);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(values.size() * sizeof(float)) * state.iterations());
}

BENCHMARK(engine_memcpy)->Arg(4)->Arg(64)->Unit(benchmark::kMillisecond);
BENCHMARK(engine_all_reduce)->Arg(4)->Arg(64)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(engine_all_gather)->Arg(4)->Arg(64)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(engine_reduce_scatter)->Arg(4)->Arg(64)->Unit(benchmark::kMillisecond)->UseManualTime();
BENCHMARK(engine_barrier)->Unit(benchmark::kMicrosecond)->UseRealTime();
BENCHMARK(engine_adamw<float>)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(engine_adamw<bf16>)->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(engine_convert<float, bf16>)->Unit(benchmark::kMicrosecond);
BENCHMARK(engine_convert<bf16, float>)->Unit(benchmark::kMicrosecond);
BENCHMARK(engine_convert<float, fp16>)->Unit(benchmark::kMicrosecond);
BENCHMARK(engine_convert<fp16, float>)->Unit(benchmark::kMicrosecond);
BENCHMARK(engine_exact_sum)->Unit(benchmark::kMillisecond);

}  // namespace
