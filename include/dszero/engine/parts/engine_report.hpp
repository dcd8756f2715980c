// SPDX-License-Identifier: MIT
//
// What an engine says about itself: bytes held, elements sent, how much of the
// sending went on beside backward, and what it does otherwise than the configuration.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/storage/erased_store.hpp>
#include <dszero/engine/storage/memory_report.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// What was sent between two moments.
inline Traffic operator-(Traffic later, const Traffic& earlier) {
    for (std::size_t i = 0; i < later.counts.size(); ++i) {
        TrafficCount& count = later.counts[i];
        const TrafficCount& before = earlier.counts[i];
        count.calls -= before.calls;
        count.elements -= before.elements;
        count.bytes -= before.bytes;
        count.sent_elements -= before.sent_elements;
        count.sent_bytes -= before.sent_bytes;
        count.done_bytes -= before.done_bytes;
    }
    return later;
}

/// Counts traffic step by step, and how many bytes of gradients were reduced before backward was over.
class TrafficLog {
public:
    const Traffic& last_step() const { return last_step_; }
    /// Of the last backward: bytes of gradients in all, and those reduced when its last reduce() returned.
    std::uint64_t gradient_bytes() const { return gradient_bytes_; }
    std::uint64_t gradient_bytes_before_end() const { return before_end_; }

    void begin_window(const Traffic& now) {
        window_ = backward_ = now;
        done_ = done_gradient_bytes(now);
    }
    /// What was sent between two moments does not belong to training.
    void leave_out(const Traffic& from, const Traffic& to) {
        window_ = to - (from - window_);
        backward_ = to - (from - backward_);
    }
    /// A module's backward is over.
    void backward_goes_on(const Traffic& now) { done_ = done_gradient_bytes(now); }
    void end_backward(const Traffic& now) {
        before_end_ = done_ - done_gradient_bytes(backward_);
        gradient_bytes_ = gradient_bytes(now) - gradient_bytes(backward_);
        backward_ = now;
        done_ = done_gradient_bytes(now);  // the next backward may have no reduce()
    }
    void end_window(const Traffic& now) {
        last_step_ = now - window_;
        begin_window(now);
    }

private:
    static std::uint64_t gradient_bytes(const Traffic& t) {
        return t[Collective::all_reduce].bytes + t[Collective::reduce_scatter].bytes;
    }
    static std::uint64_t done_gradient_bytes(const Traffic& t) {
        return t[Collective::all_reduce].done_bytes + t[Collective::reduce_scatter].done_bytes;
    }

    Traffic window_, backward_, last_step_;
    std::uint64_t done_ = 0, before_end_ = 0, gradient_bytes_ = 0;
};

/// What moved between memory and a store since the engine was made.
struct StoreReport {
    std::string what;  ///< "optimizer" or "weights"
    std::string name;  ///< of the store
    StoreTraffic reads, writes;
};

struct EngineReport {
    int stage = 0;
    int ranks = 1;
    MemoryReport memory;
    std::vector<StoreReport> stores;
    TrafficLog traffic;
    std::vector<std::string> notes;
};

inline std::string to_text(const EngineReport& report) {
    static constexpr std::array<std::string_view, 5> names = {"all_reduce", "reduce_scatter", "all_gather",
                                                              "broadcast", "control"};
    std::string text = "stage " + std::to_string(report.stage) + ", " + std::to_string(report.ranks) +
                       (report.ranks == 1 ? " rank\n" : " ranks\n") + to_text(report.memory);
    const Traffic& last = report.traffic.last_step();
    for (std::size_t i = 0; i + 1 < names.size(); ++i) {
        const TrafficCount& count = last.counts[i];
        if (count.calls == 0) continue;
        text += "last step: " + std::string(names[i]) + ' ' + in_groups_of_three(count.elements) +
                " elements, " + in_groups_of_three(count.bytes) + " bytes in " + std::to_string(count.calls) +
                " calls\n";
    }
    if (const std::uint64_t all = report.traffic.gradient_bytes(); all != 0)
        text += "reduced before backward was over: " +
                std::to_string(100 * report.traffic.gradient_bytes_before_end() / all) +
                " % of the gradients' bytes\n";
    for (const StoreReport& store : report.stores)
        for (const auto& [verb, moved] : {std::pair("read", store.reads), std::pair("written", store.writes)})
            text += store.what + ": " + verb + ' ' + in_groups_of_three(moved.bytes) + " bytes at " +
                    in_groups_of_three(static_cast<std::size_t>(moved.bytes_per_second() / 1e6)) + " MB/s (" +
                    store.name + ")\n";
    for (const std::string& note : report.notes) text += "note: " + note + '\n';
    return text;
}

}  // namespace dszero
