// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/training.hpp"

#include <dszero/layout/partition.hpp>

#include <array>
#include <cstddef>
#include <string>
#include <vector>

using namespace dszero;
using test::Run;

namespace {

/// A configuration with both offload sections, and several sub-groups at stage 3.
test::EngineConfig offloading(const Run& run, OffloadDeviceEnum optimizer,
                              OffloadDeviceEnum param = OffloadDeviceEnum::none, double ratio = 1) {
    auto config = test::config_for(run);
    config.zero_config.sub_group_size = 60;
    config.zero_config.offload_optimizer.emplace();
    config.zero_config.offload_optimizer->device = optimizer;
    config.zero_config.offload_optimizer->ratio = ratio;
    config.zero_config.offload_param.emplace();
    config.zero_config.offload_param->device = param;
    return config;
}

std::size_t held(const EngineReport& report, Tier tier, Purpose purpose) {
    return report.memory.tiers[static_cast<std::size_t>(tier)]
        .by_purpose[static_cast<std::size_t>(purpose)]
        .current_bytes;
}

/// Elements of a rank's shard, and of its first segments, which a ratio leaves on the device.
struct Shard {
    std::size_t all = 0, on_device = 0;

    template <class Partition>
    Shard(const Partition& partition, double ratio) : all(partition.shard) {
        const auto segments = partition.segments();
        for (std::size_t s = 0; s < segments.size(); ++s)
            if (s < static_cast<std::size_t>((1 - ratio) * static_cast<double>(segments.size())))
                on_device += segments[s].elements;
    }
};

Shard shard_of(int stage, std::size_t ranks, double ratio) {
    const Layout layout = test::odd_layout();
    if (stage == 3) return Shard(PiecePartition(layout, ranks, 60), ratio);
    if (stage == 0) return Shard(FlatPartition(layout, {.ranks = 1, .start_alignment = 1}), ratio);
    return Shard(FlatPartition(layout, {.ranks = ranks}), ratio);
}

}  // namespace

TEST_CASE("offload: the bits are those of the same run without it") {
    for (const std::size_t ranks : {1, 2, 3, 4})
        for (const char* type : {"fp32", "bf16"})
            for (int stage = 0; stage < 4; ++stage) {
                const Run run{.stage = stage, .ranks = ranks, .type = type, .bucket = 60, .micro_steps = 2};
                const auto expected = test::train(run).bits;
                REQUIRE(!expected.empty());
                const auto same = [&](const test::EngineConfig& config) {
                    CHECK(test::train(config, test::odd_layout(), run).bits == expected);
                };
                for (const double ratio : {0.0, 0.3, 1.0})
                    for (const auto param : {OffloadDeviceEnum::none, OffloadDeviceEnum::cpu}) {
                        if (stage < 3 && param != OffloadDeviceEnum::none) continue;
                        CAPTURE(ranks, type, stage, ratio, to_string(param));
                        same(offloading(run, OffloadDeviceEnum::cpu, param, ratio));
                        if (ratio == 1) same(offloading(run, OffloadDeviceEnum::none, param));
                    }
            }
}

TEST_CASE("offload: bytes held on each tier are the formula's") {
    for (const std::size_t ranks : {1, 2, 3, 4})
        for (const char* type : {"fp32", "bf16"})
            for (int stage = 0; stage < 4; ++stage)
                for (const double ratio : {0.0, 0.3, 1.0}) {
                    CAPTURE(ranks, type, stage, ratio);
                    const Run run{.stage = stage, .ranks = ranks, .type = type};
                    const auto plain = test::train(run).reports;
                    const auto reports =
                        test::train(offloading(run, OffloadDeviceEnum::cpu, OffloadDeviceEnum::cpu, ratio),
                                    test::odd_layout(), run)
                            .reports;
                    const std::size_t model = std::string(type) == "fp32" ? 4 : 2;
                    const Shard shard = shard_of(stage, ranks, ratio);
                    for (std::size_t r = 0; r < ranks; ++r) {
                        const auto on = [&](Tier tier, Purpose purpose) {
                            return held(reports[r], tier, purpose);
                        };
                        const auto before = [&](Purpose purpose) {
                            return held(plain[r], Tier::device, purpose);
                        };
                        // a segment's share of the optimizer moves as a whole
                        const std::size_t moved = shard.all - shard.on_device;
                        const std::size_t master = model == 4 ? 0 : 4;
                        CHECK(on(Tier::device, Purpose::moments) == 8 * shard.on_device);
                        CHECK(on(Tier::host, Purpose::moments) == 8 * moved);
                        CHECK(on(Tier::device, Purpose::master_weights) == master * shard.on_device);
                        CHECK(on(Tier::host, Purpose::master_weights) == master * moved);
                        // gradients go with it where only a shard of them is kept
                        const std::size_t gradients = stage < 2 ? 0 : model * moved;
                        CHECK(on(Tier::host, Purpose::gradients) == gradients);
                        CHECK(on(Tier::device, Purpose::gradients) == before(Purpose::gradients) - gradients);
                        // weights do at stage 3
                        const std::size_t weights = stage < 3 ? 0 : before(Purpose::weights);
                        CHECK(on(Tier::host, Purpose::weights) == weights);
                        CHECK(on(Tier::device, Purpose::weights) == before(Purpose::weights) - weights);
                        for (const Purpose rest : {Purpose::buckets, Purpose::gathered, Purpose::staging}) {
                            CHECK(on(Tier::device, rest) == before(rest));
                            CHECK(on(Tier::host, rest) == 0);
                        }
                    }
                }
}

TEST_CASE("offload: what is below stage 3 or not pinned is said in the report") {
    const Run run{.stage = 2, .type = "bf16"};
    auto config = offloading(run, OffloadDeviceEnum::cpu, OffloadDeviceEnum::cpu);
    const auto notes = test::train(config, test::odd_layout(), run).reports[0].notes;
    REQUIRE(notes.size() == 1);
    CHECK(notes[0].find("offload_param: below stage 3") == 0);
}

TEST_CASE("offload: pinned memory is locked, or the report says why it is not") {
    for (const bool pin : {false, true}) {
        const Run run{.stage = 1, .type = "bf16"};
        auto config = offloading(run, OffloadDeviceEnum::cpu);
        config.zero_config.offload_optimizer->pin_memory = pin;
        const EngineReport report = test::train(config, test::odd_layout(), run).reports[0];
        const MemoryReport::OfTier& host = report.memory.tiers[static_cast<std::size_t>(Tier::host)];
        const bool refused =
            std::any_of(report.notes.begin(), report.notes.end(), [](const std::string& note) {
                return note.starts_with("pin_memory: ") && note.find("ulimit -l") != std::string::npos;
            });
        CHECK((host.locked.current_bytes == host.total.current_bytes) == (pin && !refused));
        if (!pin) CHECK(host.locked.peak_bytes == 0);
    }
}
