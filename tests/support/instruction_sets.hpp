// SPDX-License-Identifier: MIT
//
// For tests that the vector code must pass in each of its copies.
#pragma once

#include <dszero/engine/numeric/simd.hpp>

#include "support/catch.hpp"

/// Calls body() under each instruction set that this machine has.
template <typename Body>
void for_each_instruction_set(const Body& body) {
    for (const auto set :
         {dszero::InstructionSet::portable, dszero::InstructionSet::avx2, dszero::InstructionSet::avx512}) {
        if (set > dszero::best_instruction_set()) break;
        INFO("instruction set " << static_cast<int>(set));
        dszero::use_instruction_set(set);
        body();
    }
    dszero::use_instruction_set(dszero::best_instruction_set());
}
