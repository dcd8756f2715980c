// SPDX-License-Identifier: MIT
//
// What runs come to, as text (report.cpp) and as a picture (chart.cpp).
#pragma once

#include "train.hpp"

#include <string>
#include <vector>

namespace gpt {

/// The peak of what each rank held, by tier and purpose.
std::string memory_table(const Run& run);

/// Losses and the fullest rank's memory, a row for each run and tier; then what follows from comparing them:
/// whether runs are equal bit for bit, and whether the model has learnt more than the bytes' frequencies.
std::string comparison(const std::vector<Run>& runs, double unigram_entropy);

/// The mean of the last ten steps: single ones are noisy.
double last_loss(const Run& run);

/// Of all ranks, the one that held most on all tiers together.
const dszero::MemoryReport& fullest(const Run& run);

/// Two panels: the fullest rank's bytes by purpose, run beside run, and the losses. Throws std::system_error
/// if it cannot write the file.
void write_chart(const std::string& path, const std::vector<Run>& runs, double unigram_entropy);

}  // namespace gpt
