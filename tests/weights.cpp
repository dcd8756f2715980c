// SPDX-License-Identifier: MIT
//
// What training ends with, as bits. CTest compiles this program without optimization and
// with, and compares what the two print: a digest of weights and moments for each number of
// ranks, type and number of micro-steps. It fails by itself where stages, buckets or
// instruction sets disagree.
#include "support/training.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <vector>

using namespace dszero;
using test::Run;

namespace {

std::uint64_t digest(const std::vector<std::uint32_t>& bits) {
    std::uint64_t hash = 0xcbf29ce484222325;  // FNV-1a, word by word
    for (const std::uint32_t word : bits) hash = (hash ^ word) * 0x100000001b3;
    return hash;
}

bool same_for_all(Run run, int first_stage, int last_stage) {
    run.stage = first_stage;
    const std::vector<std::uint32_t> expected = test::train(run).bits;
    std::cout << "stages " << first_stage << " to " << last_stage << ", " << run.ranks << " ranks, "
              << run.type << ", " << run.micro_steps << " micro-steps: " << std::hex << digest(expected)
              << std::dec << std::endl;
    bool same = !expected.empty();
    for (const auto set : {InstructionSet::portable, InstructionSet::avx2, InstructionSet::avx512}) {
        use_instruction_set(set);
        for (run.stage = first_stage; run.stage <= last_stage; ++run.stage)
            for (run.bucket = 1; run.bucket <= 40'000; run.bucket *= 200) {
                if (test::train(run).bits == expected) continue;
                same = false;
                std::cout << "not the same: stage " << run.stage << ", bucket " << run.bucket
                          << ", instruction set " << static_cast<int>(set) << std::endl;
            }
    }
    return same;
}

}  // namespace

int main() {
    bool same = true;
    for (const std::size_t ranks : {1u, 2u, 3u, 4u, 7u})
        for (const char* type : {"fp32", "bf16", "fp16"}) {
            same &= same_for_all({.ranks = ranks, .type = type}, 0, 3);
            // 0 and 1 add up micro-steps, then ranks; 2 and 3 the other way round
            same &= same_for_all({.ranks = ranks, .type = type, .micro_steps = 3}, 0, 1);
            same &= same_for_all({.ranks = ranks, .type = type, .micro_steps = 3}, 2, 3);
        }
    return same ? EXIT_SUCCESS : EXIT_FAILURE;
}
