// SPDX-License-Identifier: MIT
//
// What the accounts of a rank say, as plain data and as a table.
#pragma once

#include <dszero/engine/memory.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>

namespace dszero {

/// What the accounts of one rank say at one moment, as plain data.
struct MemoryReport {
    struct OfTier {
        std::array<Usage, purpose_count> by_purpose;
        Usage total, locked;
        std::optional<std::size_t> budget_bytes;
    };
    int rank = 0;
    std::array<OfTier, tier_count> tiers;
};

MemoryReport report(const Memory& memory, int rank);

/// A table with a row per purpose that was ever used, and a total per tier:
///
///     rank 0, bytes               current             peak           budget
///     device
///       weights                 4 194 304        4 194 304
///       total                   4 194 304        6 291 456        8 388 608
std::string to_text(const MemoryReport& report);

// ---- Implementation ----

inline MemoryReport report(const Memory& memory, int rank) {
    MemoryReport result;
    result.rank = rank;
    for (std::size_t t = 0; t < tier_count; ++t) {
        const Account& account = memory[static_cast<Tier>(t)];
        for (std::size_t p = 0; p < purpose_count; ++p)
            result.tiers[t].by_purpose[p] = account.usage(static_cast<Purpose>(p));
        result.tiers[t].total = account.total();
        result.tiers[t].locked = account.locked();
        result.tiers[t].budget_bytes = account.budget_bytes();
    }
    return result;
}

/// 1234567 -> "1 234 567".
inline std::string in_groups_of_three(std::size_t number) {
    std::string digits = std::to_string(number);
    for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, 1, ' ');
    return digits;
}

inline std::string to_text(const MemoryReport& report) {
    std::string text;
    const auto line = [&text](std::string name, const std::string& current, const std::string& peak,
                              const std::string& budget) {
        name.resize(18, ' ');
        text += name;
        for (const std::string* column : {&current, &peak, &budget})
            text += std::string(column->size() < 17 ? 17 - column->size() : 1, ' ') + *column;
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    };
    line("rank " + std::to_string(report.rank) + ", bytes", "current", "peak", "budget");
    for (std::size_t t = 0; t < tier_count; ++t) {
        const MemoryReport::OfTier& tier = report.tiers[t];
        if (tier.total.peak_bytes == 0 && !tier.budget_bytes) continue;
        text += std::string(to_string(static_cast<Tier>(t))) + '\n';
        for (std::size_t p = 0; p < purpose_count; ++p) {
            const Usage& usage = tier.by_purpose[p];
            if (usage.peak_bytes == 0) continue;
            line("  " + std::string(to_string(static_cast<Purpose>(p))),
                 in_groups_of_three(usage.current_bytes), in_groups_of_three(usage.peak_bytes), "");
        }
        line("  total", in_groups_of_three(tier.total.current_bytes),
             in_groups_of_three(tier.total.peak_bytes),
             tier.budget_bytes ? in_groups_of_three(*tier.budget_bytes) : "");
        if (tier.locked.peak_bytes != 0)
            line("  of it locked", in_groups_of_three(tier.locked.current_bytes),
                 in_groups_of_three(tier.locked.peak_bytes), "");
    }
    return text;
}

}  // namespace dszero
