// SPDX-License-Identifier: MIT
#include "support/catch.hpp"
#include "support/endings.hpp"
#include "support/faulty_store.hpp"
#include "support/sanitizer.hpp"
#include "support/scratch_directory.hpp"
#include "support/training.hpp"

#include <dszero/layout/partition.hpp>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

using namespace dszero;
using test::endings;
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

Shard shard_of(const Layout& layout, int stage, std::size_t ranks, double ratio, std::size_t sub_group) {
    if (stage == 3) return Shard(PiecePartition(layout, ranks, sub_group), ratio);
    if (stage == 0) return Shard(FlatPartition(layout, {.ranks = 1, .start_alignment = 1}), ratio);
    return Shard(FlatPartition(layout, {.ranks = ranks}), ratio);
}

}  // namespace

TEST_CASE("offload: the bits are those of the same run without it") {
    for (const std::size_t ranks : {1u, 2u, 3u, 4u})
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
    for (const std::size_t ranks : {1u, 2u, 3u, 4u})
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
                    const Shard shard = shard_of(test::odd_layout(), stage, ranks, ratio, 60);
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

// ------------------------------------------------------------------------ NVMe

namespace {

/// The same model with tensors large enough for several tiles on four ranks.
Layout tiled_layout() {
    Layout layout = test::odd_layout();
    const std::size_t shapes[][2] = {{130, 25}, {170, 15}, {1, 1},    {200, 7},
                                     {7, 1},    {600, 1},  {3200, 1}, {33, 1}};
    for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
        layout.parameters[p].shape = {shapes[p][0], shapes[p][1]};
        layout.parameters[p].elements = shapes[p][0] * shapes[p][1];
    }
    return layout;
}

/// As train(), in tiles of the smallest size. Unless `on_disk`, in stores that move everything as late as
/// they may.
test::Outcome train_tiled(const test::EngineConfig& config, const Run& run, bool on_disk = true) {
    EngineOptions options;
    options.tile_elements = 1024;
    if (!on_disk)
        options.open_store = [](const std::filesystem::path&, std::uint64_t bytes,
                                std::vector<std::string>&) {
            static Account elsewhere(Tier::nvme);
            auto store = std::make_unique<test::FaultyStore>(elsewhere, bytes);
            store->moves_late = true;
            return ErasedStore(std::move(store));
        };
    return test::train(config, tiled_layout(), run, options);
}

void put_on_nvme(std::optional<DeepSpeedZeroOffloadOptimizerConfig>& optimizer, const std::string& path) {
    optimizer->device = OffloadDeviceEnum::nvme;
    optimizer->nvme_path = path;
}
void put_on_nvme(std::optional<DeepSpeedZeroOffloadParamConfig>& param, const std::string& path) {
    param->device = OffloadDeviceEnum::nvme;
    param->nvme_path = path;
    param->max_in_cpu = 0;
}

/// Bytes of an array in a store, which takes up whole blocks.
std::size_t in_blocks(std::size_t bytes) { return (bytes + 4095) / 4096 * 4096; }

}  // namespace

TEST_CASE("offload to NVMe: the bits are those of the same run without it") {
    const test::ScratchDirectory nvme;
    const auto rank_counts = test::all_or_few<std::size_t>("numbers of ranks", {1, 2, 3, 4}, {2, 3});
    const auto buffer_counts = test::all_or_few<std::int64_t>("numbers of buffers", {1, 2, 4, 5}, {1, 4});
    const auto pipelines = test::all_or_few("pipelines", {0, 1, 2, 3}, {0, 3});
    for (const std::size_t ranks : rank_counts)
        for (int stage = 0; stage < 4; ++stage) {
            // an fp32 model's weights, which stay in memory, are its masters
            const Run run{.stage = stage, .ranks = ranks, .type = ranks == 2 ? "fp32" : "bf16", .steps = 2};
            const auto expected = test::train(test::config_for(run), tiled_layout(), run).bits;
            REQUIRE(!expected.empty());
            for (const double ratio : {0.0, 0.3, 1.0})
                for (const std::int64_t buffers : buffer_counts)
                    for (const int pipeline : pipelines) {
                        CAPTURE(ranks, stage, ratio, buffers, pipeline);
                        auto config =
                            offloading(run, OffloadDeviceEnum::none, OffloadDeviceEnum::none, ratio);
                        config.zero_config.sub_group_size = 2000;
                        auto& optimizer = config.zero_config.offload_optimizer;
                        put_on_nvme(optimizer, nvme.path());
                        optimizer->buffer_count = buffers;
                        optimizer->pipeline_read = pipeline % 2 == 1;
                        optimizer->pipeline_write = pipeline / 2 == 1;
                        optimizer->fast_init = buffers == 4;
                        CHECK(train_tiled(config, run, buffers == 4 && ratio == 1).bits == expected);
                    }
        }
    CHECK(nvme.empty());
}

TEST_CASE("offload of weights to NVMe: the bits are those of the same run without it") {
    const test::ScratchDirectory nvme;
    const auto rank_counts = test::all_or_few<std::size_t>("numbers of ranks", {1, 2, 3, 4}, {2, 3});
    const auto buffer_counts = test::all_or_few<std::int64_t>("numbers of buffers", {1, 2, 4, 5}, {1, 4});
    for (const std::size_t ranks : rank_counts)
        for (const char* type : {"fp32", "bf16"}) {
            if (std::string(type) == "fp32" && ranks > 2) continue;
            const Run run{.stage = 3, .ranks = ranks, .type = type, .micro_steps = 2, .steps = 2};
            const auto expected = test::train(test::config_for(run), tiled_layout(), run).bits;
            REQUIRE(!expected.empty());
            for (const auto optimizer :
                 {OffloadDeviceEnum::none, OffloadDeviceEnum::cpu, OffloadDeviceEnum::nvme})
                for (const std::int64_t buffers : buffer_counts)
                    for (const std::int64_t in_cpu : {0, 1500, 1'000'000})
                        for (const bool ahead : {false, true}) {
                            if (in_cpu > 1500 && (ahead || buffers > 1)) continue;  // nothing is on NVMe
                            CAPTURE(ranks, type, to_string(optimizer), buffers, in_cpu, ahead);
                            auto config = offloading(run, optimizer);
                            DeepSpeedZeroConfig& zero = config.zero_config;
                            zero.sub_group_size = 2000;
                            zero.param_persistence_threshold = ahead ? 40 : 0;
                            zero.prefetch_bucket_size = ahead ? 1'000'000 : 0;
                            zero.max_reuse_distance = ahead ? 1'000'000 : 0;
                            zero.offload_optimizer->nvme_path = nvme.path();
                            put_on_nvme(zero.offload_param, nvme.path());
                            zero.offload_param->buffer_count = buffers;
                            zero.offload_param->buffer_size =
                                static_cast<std::int64_t>(divide_up(3250, ranks));  // just enough
                            zero.offload_param->max_in_cpu = in_cpu;
                            CHECK(train_tiled(config, run, buffers == 4).bits == expected);
                        }
        }
    CHECK(nvme.empty());
}

TEST_CASE("offload to NVMe: bytes held on each tier are the formula's") {
    const test::ScratchDirectory nvme;
    for (const std::size_t ranks : {1u, 3u})
        for (const char* type : {"fp32", "bf16"})
            for (int stage = 0; stage < 4; ++stage)
                for (const double ratio : {0.3, 1.0}) {
                    CAPTURE(ranks, type, stage, ratio);
                    const Run run{.stage = stage, .ranks = ranks, .type = type, .steps = 1};
                    auto config = offloading(run, OffloadDeviceEnum::none, OffloadDeviceEnum::none, ratio);
                    config.zero_config.sub_group_size = 2000;
                    put_on_nvme(config.zero_config.offload_optimizer, nvme.path());
                    config.zero_config.offload_optimizer->pipeline_read = true;
                    const bool param = stage == 3 && ratio == 1;
                    if (param) put_on_nvme(config.zero_config.offload_param, nvme.path());
                    const std::size_t model = std::string(type) == "fp32" ? 4 : 2;
                    const Shard shard = shard_of(tiled_layout(), stage, ranks, ratio, 2000);
                    const std::size_t moved = shard.all - shard.on_device;
                    const PiecePartition pieces(tiled_layout(), ranks, 2000);
                    for (const EngineReport& report : train_tiled(config, run).reports) {
                        const auto on = [&](Tier tier, Purpose purpose) {
                            return held(report, tier, purpose);
                        };
                        // weights that are neither fp32 nor in memory have masters
                        const std::size_t masters = model == 4 && !param ? 0 : 1;
                        CHECK(on(Tier::nvme, Purpose::moments) == 2 * in_blocks(4 * moved));
                        CHECK(on(Tier::device, Purpose::moments) == 8 * shard.on_device);
                        CHECK(on(Tier::nvme, Purpose::master_weights) == masters * in_blocks(4 * moved));
                        CHECK(on(Tier::device, Purpose::master_weights) == masters * 4 * shard.on_device);
                        CHECK(on(Tier::host, Purpose::gradients) == (stage < 2 ? 0 : model * moved));
                        // four tiles of 1024 elements of each array, fewer where there are not so many; five
                        // pieces of weights, which may begin and end anywhere in a block
                        const std::size_t tiles = std::min<std::size_t>(4, (moved + 1023) / 1024);
                        const std::size_t largest = *std::ranges::max_element(pieces.pieces);
                        const std::size_t row = in_blocks(model * pieces.shard) + model * pieces.frozen;
                        const std::size_t buffer = in_blocks(std::max(largest * model, row)) + 4096;
                        CHECK(on(Tier::host, Purpose::staging) ==
                              tiles * (2 + masters) * 4096 + (param ? 5 * buffer : 0));
                        CHECK(on(Tier::nvme, Purpose::weights) == (param ? in_blocks(row) : 0));
                        CHECK(on(Tier::host, Purpose::weights) == 0);
                        if (param) CHECK(on(Tier::device, Purpose::weights) == 0);
                    }
                }
}

TEST_CASE("offload to NVMe: a folder that is not there, for one rank alone, ends every rank") {
    const test::ScratchDirectory nvme;
    for (const bool param : {false, true}) {
        CAPTURE(param);
        const Run run{.stage = 3, .ranks = 3, .type = "bf16"};
        auto config = offloading(run, OffloadDeviceEnum::none);
        if (param)
            put_on_nvme(config.zero_config.offload_param, nvme.path());
        else
            put_on_nvme(config.zero_config.offload_optimizer, nvme.path());
        const auto messages = endings(3, [&](ThreadCommunicator& comm) {
            EngineOptions options;
            options.open_store = [&](const std::filesystem::path& directory, std::uint64_t bytes,
                                     std::vector<std::string>& notes) {
                return open_file_store(comm.rank() == 1 ? directory / "missing" : directory, bytes, notes);
            };
            with_engine(config, tiled_layout(), comm, options, [](auto&) {});
        });
        for (const std::string& message : messages) {
            CHECK(message.find("missing\": cannot make a file there") != std::string::npos);
            CHECK(message.find("No such file or directory") != std::string::npos);
        }
        CHECK(nvme.empty());
    }
}

TEST_CASE("offload to NVMe: a disk that fails one rank, at any request, ends every rank") {
    for (const bool weights : {false, true})
        for (std::size_t n = 0, reached = 1; reached; n += 5) {
            CAPTURE(weights, n);
            const Run run{.stage = 3, .ranks = 2, .type = "bf16"};
            auto config = offloading(run, OffloadDeviceEnum::none);
            config.zero_config.sub_group_size = 2000;
            config.zero_config.offload_optimizer->pipeline_read = true;
            config.zero_config.offload_optimizer->pipeline_write = true;
            put_on_nvme(config.zero_config.offload_optimizer, "/nowhere");
            put_on_nvme(config.zero_config.offload_param, "/nowhere");
            const auto messages = endings(2, [&](ThreadCommunicator& comm) {
                Account elsewhere(Tier::host);
                EngineOptions options;
                options.tile_elements = 1024;
                bool first = true;  // the first store is that of the weights
                options.open_store = [&](const std::filesystem::path&, std::uint64_t bytes,
                                         std::vector<std::string>&) {
                    auto store = std::make_unique<test::FaultyStore>(elsewhere, bytes);
                    store->moves_late = true;
                    store->short_count = n % 2 == 1;
                    if (comm.rank() == 1 && weights == first) store->fails_at = n;
                    first = false;
                    return ErasedStore(std::move(store));
                };
                with_engine(config, tiled_layout(), comm, options, [&](auto& engine) {
                    for (int s = 0; s < 2; ++s) {
                        test::pass(engine, static_cast<std::size_t>(comm.rank()), s, 0);
                        engine.step();
                    }
                    engine.full_weight(0);
                });
            });
            reached = messages[1].empty() ? 0 : 1;
            for (const std::string& message : messages)
                CHECK((message.find("a faulty store") != std::string::npos) == (reached == 1));
        }
}

TEST_CASE("offload to NVMe: what cannot work is an error before anything is allocated") {
    const test::ScratchDirectory nvme;
    const auto message_for = [&](auto&& change, const EngineOptions& options = {}) {
        const Run run{.stage = 3, .ranks = 2, .type = "bf16"};
        auto config = offloading(run, OffloadDeviceEnum::none);
        put_on_nvme(config.zero_config.offload_optimizer, nvme.path());
        put_on_nvme(config.zero_config.offload_param, nvme.path());
        change(config.zero_config);
        const auto messages = endings(2, [&](ThreadCommunicator& comm) {
            with_engine(config, test::odd_layout(), comm, options, [](auto&) {});
        });
        CHECK(nvme.empty());
        CHECK(messages[1].find(messages[0]) != std::string::npos);
        return messages[0];
    };
    CHECK(message_for([](auto&) {}) == "");
    CHECK(message_for([](auto& zero) { zero.offload_optimizer->nvme_path.reset(); }) ==
          "offload_optimizer: device nvme needs nvme_path, a folder on the disk");
    CHECK(message_for([](auto& zero) { zero.offload_param->nvme_path.reset(); }) ==
          "offload_param: device nvme needs nvme_path, a folder on the disk");
    CHECK(message_for([](auto& zero) { zero.offload_param->buffer_size = 139; }) ==
          "offload_param: buffer_size is 139 elements, but each rank's piece of b.w has 140: make "
          "buffer_size at least that");
    CHECK(message_for([](auto& zero) {
              zero.offload_optimizer->nvme_path = "swap";
          }).find("nvme_path \"swap\" is relative") != std::string::npos);
    CHECK(message_for([](auto& zero) { zero.offload_optimizer->ratio = 1.5; }) ==
          "offload_optimizer: ratio must be from 0 to 1");
    EngineOptions tight;
    tight.budgets.nvme = 4096;
    CHECK(message_for([](auto&) {}, tight).find("budget of 4096 bytes") != std::string::npos);
    CHECK(message_for([](auto&) {}, tight).find("nvme: ") == 0);
    tight = {};
    tight.budgets.host = 100;
    CHECK(message_for([](auto&) {}, tight).find("host: ") == 0);
}

TEST_CASE("offload to NVMe: the report counts what moved in each direction") {
    const test::ScratchDirectory nvme;
    const Run run{.stage = 3, .ranks = 2, .type = "bf16", .steps = 2};
    auto config = offloading(run, OffloadDeviceEnum::none);
    put_on_nvme(config.zero_config.offload_optimizer, nvme.path());
    put_on_nvme(config.zero_config.offload_param, nvme.path());
    const PiecePartition pieces(tiled_layout(), 2, 60);
    for (const EngineReport& report : train_tiled(config, run).reports) {
        REQUIRE(report.stores.size() == 2);
        const std::size_t states = 3 * in_blocks(4 * pieces.shard);
        CHECK(report.stores[0].what == "optimizer");
        CHECK(report.stores[0].reads.bytes == 2 * states);
        CHECK(report.stores[0].writes.bytes == 3 * states);  // the first time, to begin with
        CHECK(report.stores[1].what == "weights");
        CHECK(report.stores[1].writes.bytes ==
              3 * in_blocks(2 * pieces.shard) + in_blocks(2 * pieces.frozen));
        CHECK(report.stores[1].reads.bytes > 0);
        CHECK(to_text(report).find("optimizer: read " + in_groups_of_three(2 * states) + " bytes at ") !=
              std::string::npos);
    }
}

TEST_CASE("offload of weights to NVMe: they are read ahead of their gathers, as far as there are buffers") {
    for (const std::int64_t buffers : {1, 2, 5}) {
        CAPTURE(buffers);
        const Run run{.stage = 3, .type = "bf16"};
        auto config = offloading(run, OffloadDeviceEnum::none);
        put_on_nvme(config.zero_config.offload_param, "/nowhere");
        config.zero_config.offload_param->buffer_count = buffers;
        config.zero_config.prefetch_bucket_size = 0;  // no gather is
        config.zero_config.max_reuse_distance = 0;
        ThreadWorld(1).run([&](auto& comm) {
            Account elsewhere(Tier::host);
            test::FaultyStore* store = nullptr;
            EngineOptions options;
            options.open_store = [&](const std::filesystem::path&, std::uint64_t bytes,
                                     std::vector<std::string>&) {
                auto made = std::make_unique<test::FaultyStore>(elsewhere, bytes);
                store = made.get();
                return ErasedStore(std::move(made));
            };
            with_engine(config, tiled_layout(), comm, options, [&](auto& engine) {
                const auto reads_of_gather = [&](std::size_t module) {
                    const std::size_t before = store->started();
                    const auto w = engine.gather({module});
                    return store->started() - before;
                };
                CHECK(reads_of_gather(0) == 1);  // the order of use is not known yet
                CHECK(reads_of_gather(1) == 2);
                CHECK(reads_of_gather(2) == 3);
                engine.step();
                // one parameter, and as many of the next ones: two, then three
                const auto ahead = static_cast<std::size_t>(buffers);
                CHECK(reads_of_gather(0) == 1 + ahead);
                if (ahead == 5) {
                    CHECK(reads_of_gather(1) == 0);
                    CHECK(reads_of_gather(2) == 0);
                }
            });
        });
    }
}
