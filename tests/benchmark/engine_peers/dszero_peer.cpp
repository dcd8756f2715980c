// SPDX-License-Identifier: MIT
//
// dszero's side of tests/benchmark/run_engine: waits for a line on standard input, does the
// thing once and prints the seconds it took, so that it can take turns with its peers.
//
//     dszero_peer adam ELEMENTS THREADS        lines: fp32 | bf16
//     dszero_peer collectives REPETITIONS      no input: all sizes and kinds, interleaved
#include <dszero/engine/memory.hpp>
#include <dszero/engine/numeric/exact_sum.hpp>
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dszero;

template <typename Body>
double seconds(const Body& body) {
    const auto before = std::chrono::steady_clock::now();
    body();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

void adam(std::size_t elements, unsigned threads) {
    Memory memory;
    Account& account = memory[Tier::device];
    Buffer<float> master(account, Purpose::master_weights, elements);
    Buffer<float> m(account, Purpose::moments, elements), v(account, Purpose::moments, elements);
    Buffer<float> gradient(account, Purpose::gradients, elements);
    Buffer<bf16> gradient16(account, Purpose::gradients, elements),
        weights16(account, Purpose::weights, elements);
    for (std::size_t i = 0; i < elements; ++i) {
        master[i] = static_cast<float>(i % 1013) / 1013;
        gradient[i] = static_cast<float>(i % 997) / 997 - 0.5f;
    }
    convert(static_cast<const Buffer<float>&>(gradient).span(), gradient16.span());
    ThreadPool pool(threads);
    StepScalars at{.lr = 1e-3, .weight_decay = 0.01, .inverse_scale = 1, .t = 0};
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        ++at.t;
        std::cout << seconds([&] {
            if (line == "fp32")
                step(pool, AdamW(), at,
                     StepSpans<float, float>{master.span(), {m.span(), v.span()}, gradient.span(), {}});
            else if (line == "bf16")
                step(pool, AdamW(), at,
                     StepSpans<bf16, bf16>{
                         master.span(), {m.span(), v.span()}, gradient16.span(), weights16.span()});
            else
                sum_of_squares(pool, std::span<const float>(gradient.span()));
        }) << std::endl;
    }
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

/// As the other peers do it: every rank writes its input afresh (gradients have just been
/// computed when they are reduced), all meet in a barrier, rank 0 takes the time.
void collectives(std::size_t repetitions) {
    ThreadWorld{2}.run([&](auto& comm) {
        for (const std::size_t mib : {4u, 64u}) {
            const std::size_t elements = mib << 18;
            Memory memory;
            Buffer<float> one(memory[Tier::device], Purpose::staging, elements);
            Buffer<float> copy(memory[Tier::device], Purpose::staging, elements);
            Buffer<float> both(memory[Tier::device], Purpose::staging, 2 * elements);
            std::vector<double> reduced, scattered, gathered, copied;
            const std::vector<Share> halves = equal_shares(2 * elements, 2);
            const auto timed = [&](std::vector<double>& to, std::span<float> input, const auto& body) {
                std::fill(input.begin(), input.end(), 1.0f);
                barrier(comm);
                barrier(comm);  // after the first one, nobody is still waking up
                to.push_back(seconds(body));
            };
            for (std::size_t k = 0; k <= repetitions; ++k) {
                timed(reduced, one.span(), [&] { all_reduce(comm, one.span()); });
                timed(gathered, one.span(), [&] { all_gather(comm, one.span(), both.span(), halves); });
                timed(scattered, both.span(),
                      [&] { reduce_scatter(comm, both.span(), copy.span(), halves); });
                timed(copied, one.span(), [&] {
                    if (comm.rank() == 0) std::memcpy(copy.data(), one.data(), one.size_bytes());
                });
            }
            for (auto* times : {&reduced, &gathered, &scattered, &copied}) times->erase(times->begin());
            if (comm.rank() != 0) continue;
            std::cout << "all_reduce " << mib << ' ' << median(reduced) << "\nall_gather " << mib << ' '
                      << median(gathered) << "\nreduce_scatter " << mib << ' ' << median(scattered)
                      << "\nmemcpy " << mib << ' ' << median(copied) << std::endl;
        }
        std::vector<double> barriers;
        for (std::size_t k = 0; k <= repetitions; ++k)
            barriers.push_back(seconds([&] {
                                   for (int i = 0; i < 1000; ++i) barrier(comm);
                               }) /
                               1000);
        if (comm.rank() == 0) std::cout << "barrier 0 " << median(barriers) << std::endl;
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv, argv + argc);
    const auto number = [&](int i) { return std::strtoul(argv[i], nullptr, 10); };
    if (argc == 4 && arguments[1] == "adam")
        adam(number(2), static_cast<unsigned>(number(3)));
    else if (argc == 3 && arguments[1] == "collectives")
        collectives(number(2));
    else
        return EXIT_FAILURE;
}
