// SPDX-License-Identifier: MIT
//
// The store on io_uring: against one in memory, and where kernel, file system, disk or
// limits say no. What needs io_uring and direct I/O is skipped where the machine has none.
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/tiled_step.hpp>
#include <dszero/uring/uring_store.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/scratch_directory.hpp"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <system_error>
#include <vector>

using namespace dszero;  // NOLINT: tests are about it
using Catch::Matchers::Contains;
using test::ChildProcess;
using test::ScratchDirectory;

namespace {

constexpr std::size_t block = page_bytes;

/// A store on io_uring, or none, aloud.
std::optional<ErasedStore> uring_store(const ScratchDirectory& directory, std::uint64_t bytes,
                                       const UringCalls& calls = {}) {
    std::vector<std::string> notes;
    ErasedStore store = uring_or_file_store(ScratchFile(directory.path(), bytes), calls, notes);
    if (notes.empty()) return store;
    WARN("skipped: " + notes[0]);
    return std::nullopt;
}

/// Aligned memory.
struct Pages {
    Account account{Tier::host};
    Buffer<std::byte> bytes;

    explicit Pages(std::size_t count) : bytes(account, Purpose::staging, count * block) {}
    std::span<std::byte> part(std::size_t first, std::size_t count) {
        return bytes.span().subspan(first * block, count * block);
    }
    void fill(unsigned seed) {
        for (std::size_t i = 0; i < bytes.size(); ++i)
            bytes[i] = static_cast<std::byte>((i * 37 + i / 251 + seed) & 255);
    }
    bool operator==(const Pages& other) const {
        return std::memcmp(bytes.data(), other.bytes.data(), bytes.size()) == 0;
    }
};

/// Writes and reads all of a store in requests of many sizes, all of them under way at once.
void check_round_trips(ErasedStore& store, bool registered) {
    const std::size_t count = static_cast<std::size_t>(store.size()) / block;
    Pages expected(count), back(count);
    if (registered) REQUIRE(!store.register_memory(back.bytes.span()));
    for (unsigned round = 0; round < 3; ++round) {
        std::vector<ErasedStore::Transfer> transfers;
        const auto all = [&](const auto& start) {
            for (std::size_t first = 0, n = 1; first < count; first += n, n = n % 7 + 1)
                transfers.push_back(start(first, std::min(n, count - first)));
            for (std::size_t i = transfers.size(); i-- > 0;) transfers[i].wait();
            transfers.clear();
        };
        all([&](std::size_t first, std::size_t n) {
            return store.start_read(first * block, back.part(first, n));
        });
        REQUIRE(back == expected);
        expected.fill(round);
        all([&](std::size_t first, std::size_t n) {
            return store.start_write(first * block, expected.part(first, n));
        });
    }
    store.register_memory({});
}

/// What the kernel says, changed: the first `times` completions of a request longer than a block.
int completions_to_change = 0;
int (*changed)(int result) = nullptr;

UringCalls with_changed_completions() {
    UringCalls calls;
    calls.wait_cqe = [](io_uring* ring, io_uring_cqe** completion) {
        const int result = ::io_uring_wait_cqe(ring, completion);
        if (result == 0 && (*completion)->res > static_cast<int>(block) && completions_to_change > 0) {
            --completions_to_change;
            (*completion)->res = changed((*completion)->res);
        }
        return result;
    };
    return calls;
}

template <class F>
std::system_error error_of(const F& f) {
    try {
        f();
    } catch (const std::system_error& error) {
        return error;
    }
    FAIL("no error");
    std::abort();
}

/// Two steps over a store, as bits.
std::vector<float> masters_after_steps(ErasedStore store, std::size_t elements,
                                       std::vector<std::string>& notes) {
    Account host(Tier::host);
    TiledArrays arrays(std::move(store), 3, elements, {.tile_elements = 4096}, host, notes);
    arrays.fill([](std::size_t first, std::size_t count, std::span<const std::span<float>> tile) {
        for (std::size_t i = 0; i < count; ++i) {
            tile[0][i] = static_cast<float>((first + i) % 129) / 64 - 1;
            tile[1][i] = tile[2][i] = 0;
        }
    });
    std::vector<float> gradient(elements);
    for (std::size_t i = 0; i < elements; ++i) gradient[i] = static_cast<float>(i % 61) / 61 - 0.5f;
    std::vector<bf16> weights(elements);
    ThreadPool pool;
    const ErasedOptimizer optimizer{AdamW()};
    const ShardSegment all[] = {{0, 0, elements}};
    for (std::int64_t t = 1; t <= 2; ++t)
        tiled_step(
            arrays, optimizer, pool, all,
            [&](std::size_t) { return StepScalars{.lr = 0.01, .weight_decay = 0.1, .t = t}; },
            [&](std::size_t) {
                return View{reinterpret_cast<std::byte*>(gradient.data()), elements, ScalarType::fp32};
            },
            [&](std::size_t) {
                return View{reinterpret_cast<std::byte*>(weights.data()), elements, ScalarType::bf16};
            });
    std::vector<float> masters(elements);
    arrays.read(0, 0, masters);
    return masters;
}

std::vector<float> masters_in_memory(std::size_t elements) {
    Account account(Tier::host);
    std::vector<std::string> notes;
    const auto bytes = static_cast<std::size_t>(TiledArrays::store_bytes(3, elements));
    return masters_after_steps(ErasedStore(std::make_unique<MemoryStore>(account, Purpose::moments, bytes)),
                               elements, notes);
}

void refuse_io_uring_as_sandboxes_do() {
    sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, 0),  // the system call's number
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const sock_fprog program{static_cast<unsigned short>(std::size(filter)), filter};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        throw std::runtime_error("seccomp");
}

}  // namespace

TEST_CASE("io_uring store: what is written is read back, in registered and in other memory") {
    const ScratchDirectory directory;
    for (const bool registered : {false, true})
        if (auto store = uring_store(directory, 300 * block)) {
            CHECK(store->alignment() == block);
            check_round_trips(*store, registered);
        }
    CHECK(directory.empty());
}

TEST_CASE("io_uring store: a step over it is bitwise equal to the step in memory") {
    const ScratchDirectory directory;
    std::vector<std::string> notes;
    const std::size_t elements = 50'001;
    const auto masters = masters_after_steps(
        open_uring_store(directory.path(), TiledArrays::store_bytes(3, elements), notes), elements, notes);
    CHECK(std::memcmp(masters.data(), masters_in_memory(elements).data(), elements * sizeof(float)) == 0);
}

TEST_CASE("io_uring store: completions that fall short or were interrupted are continued") {
    const ScratchDirectory directory;
    for (int (*const change)(int) : {
             +[](int) { return static_cast<int>(block); },
             +[](int) { return -EINTR; },
             +[](int) { return -EAGAIN; },
         })
        if (auto store = uring_store(directory, 300 * block, with_changed_completions())) {
            changed = change;
            completions_to_change = 500;
            check_round_trips(*store, false);
            CHECK(completions_to_change < 500);
        }
    completions_to_change = 0;
}

TEST_CASE("io_uring store: an error of the disk is a system_error with path and operation") {
    const ScratchDirectory directory;
    Pages pages(4);
    for (int (*const change)(int) : {+[](int) { return -EIO; }, +[](int) { return -ENOSPC; }})
        if (auto store = uring_store(directory, 8 * block, with_changed_completions())) {
            changed = change;
            completions_to_change = 1;
            const std::system_error error = error_of([&] { store->write(block, pages.part(0, 4)); });
            CHECK(error.code().value() == -change(0));
            CHECK_THAT(error.what(), Contains("scratch file in " + directory.path().string() +
                                              ": writing 16384 bytes at offset 4096"));
            store->write(block, pages.part(0, 4));
            completions_to_change = 1;
            CHECK(error_of([&] { store->read(block, pages.part(0, 4)); }).code().value() == -change(0));
        }
}

TEST_CASE("io_uring store: a file that was cut, and a system that never does anything, are errors") {
    const ScratchDirectory directory;
    Pages pages(4);
    ScratchFile file(directory.path(), 8 * block);
    const int descriptor = file.descriptor();
    std::vector<std::string> notes;
    ErasedStore store = uring_or_file_store(std::move(file), with_changed_completions(), notes);
    REQUIRE(::ftruncate(descriptor, static_cast<off_t>(6 * block)) == 0);
    CHECK(error_of([&] { store.read(4 * block, pages.part(0, 4)); }).code() == std::errc::io_error);
    if (!notes.empty()) return;
    changed = [](int) { return -EAGAIN; };
    completions_to_change = 1'000'000;
    CHECK(error_of([&] { store.read(0, pages.part(0, 4)); }).code().value() == EAGAIN);
    completions_to_change = 0;
}

TEST_CASE(
    "io_uring store: a submission that the kernel refuses is that request's error, and moves nothing later") {
    const ScratchDirectory directory;
    Pages pages(4), zeros(4);
    pages.fill(1);
    static bool refuse;
    refuse = false;
    UringCalls calls;
    calls.submit = [](io_uring* ring) { return refuse ? -ENOMEM : ::io_uring_submit(ring); };
    if (auto store = uring_store(directory, 8 * block, calls)) {
        refuse = true;
        CHECK(error_of([&] { store->write(0, pages.part(0, 4)); }).code().value() == ENOMEM);
        refuse = false;
        store->write(4 * block, pages.part(0, 4));
        store->read(0, pages.part(0, 4));
        CHECK(pages == zeros);

        refuse = true;  // more often than the queue has entries
        std::vector<ErasedStore::Transfer> transfers;
        for (int i = 0; i < 100; ++i) transfers.push_back(store->start_read(0, pages.part(0, 1)));
        for (ErasedStore::Transfer& transfer : transfers) {
            const int why = error_of([&] { transfer.wait(); }).code().value();
            CHECK((why == ENOMEM || why == EBUSY));
        }
        refuse = false;
        store->read(0, pages.part(0, 4));
        CHECK(pages == zeros);
    }
}

TEST_CASE("io_uring store: a kernel that takes no more and says nothing is that request's error") {
    const ScratchDirectory directory;
    Pages pages(4), zeros(4);
    pages.fill(1);
    static bool busy;
    busy = false;
    UringCalls calls;
    calls.submit = [](io_uring* ring) { return busy ? -EBUSY : ::io_uring_submit(ring); };
    calls.wait_cqe = [](io_uring* ring, io_uring_cqe** completion) {
        return busy ? -EBADF : ::io_uring_wait_cqe(ring, completion);
    };
    if (auto store = uring_store(directory, 8 * block, calls)) {
        auto first = store->start_write(4 * block, pages.part(0, 4));
        busy = true;
        auto second = store->start_write(0, pages.part(0, 4));
        CHECK(error_of([&] { second.wait(); }).code().value() == EBADF);
        busy = false;
        first.wait();
        store->read(0, pages.part(0, 4));
        CHECK(pages == zeros);  // nor was it written later
    }
}

TEST_CASE("io_uring store: what falls short while the queue is full is continued behind it") {
    const ScratchDirectory directory;
    UringCalls calls = with_changed_completions();
    calls.submit = [](io_uring* ring) {
        return ::io_uring_cq_ready(ring) != 0 ? -EBUSY : ::io_uring_submit(ring);
    };
    changed = [](int) { return static_cast<int>(block); };
    completions_to_change = 500;
    if (auto store = uring_store(directory, 300 * block, calls)) check_round_trips(*store, false);
    completions_to_change = 0;
}

TEST_CASE(
    "io_uring store: where the kernel or the file system refuses, a file store does the same, and says so") {
    const ScratchDirectory directory;
    const std::size_t elements = 20'000;
    const std::uint64_t bytes = TiledArrays::store_bytes(3, elements);
    const std::vector<float> expected = masters_in_memory(elements);
    const auto check = [&](const FileCalls& file_calls, const UringCalls& uring_calls,
                           const std::string& why) {
        std::vector<std::string> notes;
        ErasedStore store =
            uring_or_file_store(ScratchFile(directory.path(), bytes, file_calls), uring_calls, notes);
        CHECK(store.alignment() == 1);
        REQUIRE(notes.size() == 1);
        CHECK_THAT(notes[0], Contains("scratch file in " + directory.path().string() + ": " + why) &&
                                 Contains("page cache instead"));
        CHECK(masters_after_steps(std::move(store), elements, notes) == expected);
        CHECK(notes.size() == 1);
    };
    UringCalls no_uring;
    no_uring.queue_init = [](unsigned, io_uring*, unsigned) { return -EPERM; };
    check({}, no_uring, "the kernel refuses io_uring: Operation not permitted");
    const UringCalls any_kernel;
    std::vector<std::string> refused;
    if (open_uring_store(directory.path(), block, refused); !refused.empty()) {
        WARN("skipped: " + refused[0]);
        return;
    }
    FileCalls no_flag;
    no_flag.set_flags = [](int file, int flags) {
        return flags & O_DIRECT ? (errno = EINVAL, -1) : ::fcntl(file, F_SETFL, flags);
    };
    check(no_flag, any_kernel, "the file system refuses direct I/O (O_DIRECT): Invalid argument");
    FileCalls no_read;
    no_read.pread = [](int file, void* to, std::size_t n, off_t offset) -> ssize_t {
        if (::fcntl(file, F_GETFL) & O_DIRECT) return errno = EINVAL, -1;
        return ::pread(file, to, n, offset);
    };
    check(no_read, any_kernel, "the file system refuses direct I/O (O_DIRECT): Invalid argument");
}

TEST_CASE("io_uring store: a sandbox that forbids io_uring is the kernel's refusal") {
    const ScratchDirectory directory;
    ChildProcess child([&](const auto& say) {
        refuse_io_uring_as_sandboxes_do();
        std::vector<std::string> notes;
        ErasedStore store = open_uring_store(directory.path(), 8 * block, notes);
        Pages pages(4), back(4);
        pages.fill(3);
        store.write(block, pages.part(0, 4));
        store.read(block, back.part(0, 4));
        say(notes.at(0) + (pages == back ? ": same" : ": not the same"));
    });
    const std::string said = child.all();
    CHECK_THAT(said, Contains("the kernel refuses io_uring: Operation not permitted") && Contains(": same"));
}

TEST_CASE("io_uring store: where locked memory is limited, buffers are not registered, and a note says so") {
    const ScratchDirectory directory;
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0777));
    const std::size_t elements = 20'000;
    const std::vector<float> expected = masters_in_memory(elements);
    ChildProcess child([&](const auto& say) {
        test::limit_locked_memory(65'536);
        test::drop_rights();
        std::vector<std::string> notes;
        ErasedStore store = open_uring_store(directory.path(), TiledArrays::store_bytes(3, elements), notes);
        if (!notes.empty()) return say("skipped: " + notes[0]);
        const bool same = masters_after_steps(std::move(store), elements, notes) == expected;
        say((same ? "same, " : "not the same, ") + (notes.empty() ? "no note" : notes[0]));
    });
    const std::string said = child.all();
    if (said.rfind("skipped", 0) == 0)
        WARN(said);
    else
        CHECK_THAT(said,
                   Contains("same, scratch file in") &&
                       Contains("buffers are not registered with the kernel (Cannot allocate memory)") &&
                       Contains("RLIMIT_MEMLOCK) is 65536 bytes"));
}

TEST_CASE("io_uring store: a process that is killed leaves nothing behind") {
    const ScratchDirectory directory;
    ChildProcess child([&](const auto& say) {
        std::vector<std::string> notes;
        ErasedStore store = open_uring_store(directory.path(), 256 * block, notes);
        Pages pages(64);
        for (std::uint64_t at = 0;; at = (at + pages.bytes.size()) % store.size()) {
            const ErasedStore::Transfer transfer = store.start_write(at, pages.bytes.span());
            say("x");
        }
    });
    for (int i = 0; i < 20; ++i) child.wait_for_word();
    child.kill();
    CHECK(directory.empty());
}
