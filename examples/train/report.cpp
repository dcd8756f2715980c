// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <numeric>
#include <utility>

namespace gpt {

namespace {

using dszero::MemoryReport;
using dszero::Purpose;
using dszero::Tier;
using Cells = std::vector<std::string>;

/// Columns as wide as they must be: the first ones, with names, to the left, numbers to the right.
std::string table(const std::vector<Cells>& rows, std::size_t names) {
    std::vector<std::size_t> widths(rows.front().size());
    for (const Cells& row : rows)
        for (std::size_t c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
    std::string text;
    for (const Cells& row : rows) {
        for (std::size_t c = 0; c < row.size(); ++c) {
            const std::string padding(widths[c] - row[c].size(), ' ');
            text += (c == 0 ? "" : "  ") + (c < names ? row[c] + padding : padding + row[c]);
        }
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    }
    return text;
}

/// Bytes on one tier of one rank, and what stands before and behind them.
struct Line {
    Cells before;
    const MemoryReport::OfTier& held;
    Cells behind = {};
};

/// A column for each purpose that something was held for, between those in `names` and those in `more`.
std::string memory_table(Cells names, const Cells& more, const std::vector<Line>& lines) {
    std::vector<std::size_t> purposes;
    for (std::size_t p = 0; p < dszero::purpose_count; ++p)
        if (std::any_of(lines.begin(), lines.end(),
                        [p](const Line& line) { return line.held.by_purpose[p].peak_bytes != 0; }))
            purposes.push_back(p);
    const auto add = [](Cells& to, const Cells& cells) { to.insert(to.end(), cells.begin(), cells.end()); };
    std::vector<Cells> rows{names};
    for (const std::size_t p : purposes) rows[0].emplace_back(to_string(static_cast<Purpose>(p)));
    rows[0].emplace_back("together");
    add(rows[0], more);
    for (const Line& line : lines) {
        Cells row = line.before;
        for (const std::size_t p : purposes)
            row.push_back(dszero::in_groups_of_three(line.held.by_purpose[p].peak_bytes));
        row.push_back(dszero::in_groups_of_three(line.held.total.peak_bytes));
        add(row, line.behind);
        rows.push_back(std::move(row));
    }
    return table(rows, names.size());
}

template <class F>
void for_each_tier(const MemoryReport& memory, const F& f) {
    for (std::size_t t = 0; t < dszero::tier_count; ++t)
        if (memory.tiers[t].total.peak_bytes != 0)
            f(std::string(to_string(static_cast<Tier>(t))), memory.tiers[t]);
}

std::string fixed(double number) {
    char text[32];
    std::snprintf(text, sizeof(text), "%.3f", number);
    return text;
}

bool equal_bits(const std::vector<float>& a, const std::vector<float>& b) {
    return a.size() == b.size() && std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0;
}

}  // namespace

std::string memory_table(const Run& run) {
    std::vector<Line> lines;
    for (const dszero::EngineReport& report : run.reports)
        for_each_tier(report.memory, [&](const std::string& tier, const MemoryReport::OfTier& held) {
            lines.push_back({{"rank " + std::to_string(report.memory.rank), tier}, held});
        });
    return memory_table({"bytes held", "at most"}, {}, lines);
}

std::string comparison(const std::vector<Run>& runs, double unigram_entropy) {
    std::vector<Line> lines;
    for (const Run& run : runs) {
        std::string name = run.name;
        Cells losses = {fixed(run.losses.front()), fixed(last_loss(run))};
        for_each_tier(fullest(run), [&](const std::string& tier, const MemoryReport::OfTier& held) {
            lines.push_back({{name, tier}, held, losses});
            name.clear(), losses.clear();  // the second tier's line does not repeat them
        });
    }
    std::string text = memory_table({"", "tier"}, {"first loss", "last loss"}, lines);

    std::string other, behind;
    for (const Run& run : runs) {
        const bool same = run.losses == runs.front().losses && equal_bits(run.weights, runs.front().weights);
        if (!same) other += ' ' + run.name;
        if (!(last_loss(run) < unigram_entropy)) behind += ' ' + run.name;
    }
    if (runs.size() > 1) {
        if (other.empty())
            text += "Every loss and, at the end, every weight is the same in all runs, bit for bit.\n";
        else
            text += "Not the same bits as " + runs.front().name + ':' + other + ".\n";
    }
    text += "Bytes alone, by their frequency: " + fixed(unigram_entropy) + " nats each. " +
            (behind.empty() ? "Every run ends below that." : "Not below that:" + behind + '.') + '\n';
    return text;
}

double last_loss(const Run& run) {
    const auto count = std::min<std::ptrdiff_t>(10, std::ssize(run.losses));
    return std::accumulate(run.losses.end() - count, run.losses.end(), 0.0) / static_cast<double>(count);
}

const MemoryReport& fullest(const Run& run) {
    const auto held = [](const dszero::EngineReport& report) {
        std::size_t bytes = 0;
        for (const auto& tier : report.memory.tiers) bytes += tier.total.peak_bytes;
        return bytes;
    };
    return std::max_element(run.reports.begin(), run.reports.end(),
                            [&](const auto& a, const auto& b) { return held(a) < held(b); })
        ->memory;
}

}  // namespace gpt
