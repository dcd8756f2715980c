// SPDX-License-Identifier: MIT
//
// The engine over stores on io_uring: the bits of a run without offload, also where the
// kernel interrupts or refuses; errors end every rank. What needs io_uring and direct I/O
// is skipped where the machine has none.
#include <dszero/uring/uring_store.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/endings.hpp"
#include "support/scratch_directory.hpp"
#include "support/training.hpp"

#include <algorithm>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

using namespace dszero;  // NOLINT: tests are about it
using Catch::Matchers::Contains;
using test::ChildProcess;
using test::Run;
using test::ScratchDirectory;

namespace {

/// Optimizer states on NVMe, and at stage 3 weights, too.
test::EngineConfig on_nvme(const Run& run, const ScratchDirectory& directory) {
    test::EngineConfig config = test::config_for(run);
    DeepSpeedZeroConfig& zero = config.zero_config;
    zero.sub_group_size = 100;
    zero.offload_optimizer.emplace();
    zero.offload_optimizer->device = OffloadDeviceEnum::nvme;
    zero.offload_optimizer->nvme_path = directory.path();
    zero.offload_optimizer->pipeline_read = zero.offload_optimizer->pipeline_write = true;
    if (run.stage < 3) return config;
    zero.offload_param.emplace();
    zero.offload_param->device = OffloadDeviceEnum::nvme;
    zero.offload_param->nvme_path = directory.path();
    zero.offload_param->max_in_cpu = 0;
    return config;
}

/// A StoreFactory whose system says what it is told to say.
StoreFactory store_with(const UringCalls& calls, const FileCalls& file_calls = {}) {
    return [=](const std::filesystem::path& directory, std::uint64_t bytes, std::vector<std::string>& notes) {
        const std::uint64_t whole_pages = (bytes + page_bytes - 1) / page_bytes * page_bytes;
        return uring_or_file_store(ScratchFile(directory, whole_pages, file_calls), calls, notes);
    };
}

test::Outcome train_with(const StoreFactory& open, const Run& run, const ScratchDirectory& directory) {
    EngineOptions options;
    options.tile_elements = 1024;
    options.open_store = open;
    return test::train(on_nvme(run, directory), test::odd_layout(), run, options);
}

bool has_uring(const ScratchDirectory& directory) {
    std::vector<std::string> notes;
    open_uring_store(directory.path(), page_bytes, notes);
    if (!notes.empty()) WARN("skipped: " + notes[0]);
    return notes.empty();
}

/// Of this rank's completions, those from this one on are changed. A rank's stores are used by its thread
/// alone.
thread_local int completions_before_the_change = 0;
thread_local int (*changed)(int result) = nullptr;

UringCalls with_changed_completions() {
    UringCalls calls;
    calls.wait_cqe = [](io_uring* ring, io_uring_cqe** completion) {
        const int result = ::io_uring_wait_cqe(ring, completion);
        if (result == 0 && changed && completions_before_the_change-- <= 0)
            (*completion)->res = changed((*completion)->res);
        return result;
    };
    return calls;
}

/// Trains in tiles of the smallest size; calls after_step(rank) after each step.
template <class F>
void train_steps(ThreadCommunicator& comm, const test::EngineConfig& config, const StoreFactory& open,
                 int steps, const F& after_step) {
    EngineOptions options;
    options.tile_elements = 1024;
    options.open_store = open;
    const Layout layout = test::odd_layout();
    with_engine(config, layout, comm, options, [&](auto& engine) {
        for (int s = 0; s < steps; ++s) {
            test::pass(engine, static_cast<std::size_t>(comm.rank()), s, 0);
            engine.step();
            after_step(comm.rank());
        }
    });
}

}  // namespace

TEST_CASE("engine on io_uring: the bits are those of the same run without offload") {
    const ScratchDirectory directory;
    for (const std::size_t ranks : {1u, 2u, 3u})
        for (const char* type : {"fp32", "bf16"})
            for (int stage = 0; stage < 4; ++stage) {
                CAPTURE(ranks, type, stage);
                const Run run{.stage = stage, .ranks = ranks, .type = type};
                const test::Outcome expected = test::train(run);
                REQUIRE(!expected.bits.empty());
                const test::Outcome got = train_with(open_uring_store, run, directory);
                CHECK(got.bits == expected.bits);
                CHECK(got.norms == expected.norms);
                for (const EngineReport& report : got.reports)
                    CHECK(report.stores.size() == (stage == 3 ? 2 : 1));
            }
    CHECK(directory.empty());
}

TEST_CASE("engine on io_uring: what the system refuses is in every rank's report, and changes no bit") {
    const ScratchDirectory directory;
    UringCalls no_uring, no_registration;
    no_uring.queue_init = [](unsigned, io_uring*, unsigned) { return -EPERM; };
    no_registration.register_buffers = [](io_uring*, const iovec*, unsigned) { return -ENOMEM; };
    FileCalls no_direct;
    no_direct.set_flags = [](int file, int flags) {
        return flags & O_DIRECT ? (errno = EINVAL, -1) : ::fcntl(file, F_SETFL, flags);
    };
    const bool uring = has_uring(directory);
    struct {
        UringCalls calls;
        FileCalls file_calls;
        const char* why;
        bool possible;
    } const cases[] = {
        {no_uring, {}, "the kernel refuses io_uring: Operation not permitted", true},
        {{}, no_direct, "the file system refuses direct I/O (O_DIRECT): Invalid argument", uring},
        {no_registration, {}, "buffers are not registered with the kernel (Cannot allocate memory)", uring},
    };
    for (const auto& [calls, file_calls, why, possible] : cases)
        for (const int stage : {1, 3}) {
            if (!possible) continue;
            CAPTURE(stage, why);
            const Run run{.stage = stage, .ranks = 2, .type = "bf16"};
            const test::Outcome got = train_with(store_with(calls, file_calls), run, directory);
            CHECK(got.bits == test::train(run).bits);
            for (const EngineReport& report : got.reports) CHECK_THAT(to_text(report), Contains(why));
        }
    CHECK(directory.empty());
}

TEST_CASE("engine on io_uring: a limit of 64 kB on locked memory is in the report, and changes no bit") {
    const ScratchDirectory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0777));
    if (!has_uring(directory)) return;
    const Run run{.stage = 3, .ranks = 2, .type = "bf16"};
    const std::vector<std::uint32_t> expected = test::train(run).bits;
    ChildProcess child([&](const auto& say) {
        test::limit_locked_memory(65'536);
        test::drop_rights();
        const test::Outcome got = train_with(open_uring_store, run, directory);
        say((got.bits == expected ? "same\n" : "not the same\n") + to_text(got.reports.at(1)));
    });
    const std::string said = child.all();
    CHECK_THAT(said, Contains("same\n") && !Contains("not the same"));
    CHECK_THAT(said, Contains("(RLIMIT_MEMLOCK) is 65536 bytes"));
}

TEST_CASE("engine on io_uring: short and interrupted requests are carried on, and change no bit") {
    const ScratchDirectory directory;
    if (!has_uring(directory)) return;
    const Run run{.stage = 3, .ranks = 2, .type = "bf16"};
    const std::vector<std::uint32_t> expected = test::train(run).bits;
    for (int (*const change)(int) : {
             +[](int moved) { return std::min(moved, static_cast<int>(page_bytes)); },
             +[](int moved) { return completions_before_the_change % 2 ? -EINTR : moved; },
         }) {
        const StoreFactory open = [&](const std::filesystem::path& path, std::uint64_t bytes,
                                      std::vector<std::string>& notes) {
            changed = change;
            return store_with(with_changed_completions())(path, bytes, notes);
        };
        CHECK(train_with(open, run, directory).bits == expected);
    }
    CHECK(directory.empty());
}

TEST_CASE("engine on io_uring: a disk that fails one rank, at any request, ends every rank") {
    const ScratchDirectory directory;
    if (!has_uring(directory)) return;
    const test::EngineConfig config = on_nvme({.stage = 3, .ranks = 2, .type = "bf16"}, directory);
    for (int (*const change)(int) : {
             +[](int) { return -EIO; }, +[](int) { return -ENOSPC; },
             +[](int) { return 0; },  // as if the file had been cut
         }) {
        const int error = change(1) == 0 ? EIO : -change(1);
        bool reached = true;
        for (int n = 0; reached; n = 2 * n + 1) {
            CAPTURE(error, n);
            const auto messages = test::endings(2, [&](ThreadCommunicator& comm) {
                changed = comm.rank() == 1 ? change : nullptr;
                completions_before_the_change = n;
                train_steps(comm, config, store_with(with_changed_completions()), 2, [](int) {});
            });
            reached = !messages[1].empty();
            for (const std::string& message : messages)
                if (reached)
                    CHECK_THAT(message, (Contains("scratch file in " + directory.path().string()) &&
                                         Contains(std::generic_category().message(error))));
            CHECK(messages[0].empty() != reached);
            CHECK(directory.empty());
        }
    }
}

TEST_CASE("engine on io_uring: killed while it trains, it leaves nothing behind") {
    const ScratchDirectory directory;
    const test::EngineConfig config = on_nvme({.stage = 3, .ranks = 2, .type = "bf16"}, directory);
    ChildProcess child([&](const auto& say) {
        ThreadWorld(2).run([&](ThreadCommunicator& comm) {
            train_steps(comm, config, open_uring_store, 1'000'000, [&](int) { say("x"); });
        });
    });
    for (int words = 0; words < 9; ++words) child.wait_for_word();
    child.kill();
    CHECK(directory.empty());
}
