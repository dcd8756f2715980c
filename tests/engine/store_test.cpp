// SPDX-License-Identifier: MIT
//
// Stores, and what they say when the system does not do as it is asked: disks that are full,
// calls that move less than they should, limits, and processes that are killed.
#include <dszero/engine/file_store.hpp>
#include <dszero/engine/storage/locked_pages.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/faulty_store.hpp"
#include "support/sanitizer.hpp"
#include "support/scratch_directory.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <system_error>
#include <vector>

using namespace dszero;  // NOLINT: tests are about it
using Catch::Matchers::Contains;
using test::ChildProcess;
using test::ScratchDirectory;

namespace {

std::vector<std::byte> pattern(std::size_t bytes, unsigned seed) {
    std::vector<std::byte> values(bytes);
    for (std::size_t i = 0; i < bytes; ++i)
        values[i] = static_cast<std::byte>((i * 37 + i / 251 + seed) & 255);
    return values;
}

/// Reads and writes here and there, many at a time.
void check_round_trips(ErasedStore& store) {
    std::vector<std::byte> expected(static_cast<std::size_t>(store.size()));
    std::vector<std::byte> back(expected.size());
    store.read(0, back);
    REQUIRE(back == expected);  // zeros
    for (unsigned round = 0; round < 3; ++round) {
        std::vector<std::vector<std::byte>> pieces;
        for (std::size_t at = round * 13; at < expected.size(); at += 3001)
            pieces.push_back(pattern(std::min<std::size_t>(2900, expected.size() - at), round));
        std::vector<ErasedStore::Transfer> transfers;
        for (std::size_t i = 0; i < pieces.size(); ++i) {
            const std::size_t at = round * 13 + i * 3001;
            std::copy(pieces[i].begin(), pieces[i].end(), expected.begin() + static_cast<std::ptrdiff_t>(at));
            transfers.push_back(store.start_write(at, pieces[i]));
        }
        for (ErasedStore::Transfer& transfer : transfers) transfer.wait();
        transfers.clear();
        for (std::size_t at = 0; at < back.size(); at += 1777)
            transfers.push_back(store.start_read(
                at, std::span(back).subspan(at, std::min<std::size_t>(1777, back.size() - at))));
        for (std::size_t i = transfers.size(); i-- > 0;) transfers[i].wait();
        REQUIRE(back == expected);
    }
}

std::size_t times_called = 0;
int error_to_give = 0;

ErasedStore file_store(const ScratchDirectory& directory, std::uint64_t bytes, const FileCalls& with = {}) {
    return ErasedStore(std::make_unique<FileStore>(ScratchFile(directory.path(), bytes, with)));
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

}  // namespace

TEST_CASE("stores: what is written is read back, whatever is under way at a time") {
    const ScratchDirectory directory;
    Account account(Tier::host);
    ErasedStore memory(std::make_unique<MemoryStore>(account, Purpose::moments, 100'000));
    check_round_trips(memory);
    ErasedStore file = file_store(directory, 100'000);
    check_round_trips(file);
    ErasedStore synchronous(std::make_unique<FileStore>(ScratchFile(directory.path(), 100'000), 1));
    check_round_trips(synchronous);
}

TEST_CASE("store: bytes and requests are counted by direction") {
    Account account(Tier::host);
    ErasedStore store(std::make_unique<MemoryStore>(account, Purpose::moments, 1000));
    std::array<std::byte, 100> bytes{};
    store.write(0, bytes);
    store.write(900, bytes);
    store.read(500, std::span(bytes).first(7));
    store.read(1000, {});
    CHECK(store.writes().requests == 2);
    CHECK(store.writes().bytes == 200);
    CHECK(store.reads().requests == 2);
    CHECK(store.reads().bytes == 7);
    CHECK(store.reads().seconds >= 0);
}

TEST_CASE("store: a request outside, or not aligned as the store needs it, is refused before it starts") {
    struct Aligned : MemoryStore {
        using MemoryStore::MemoryStore;
        std::size_t alignment() const { return 512; }
    };
    Account account(Tier::host);
    ErasedStore store(std::make_unique<Aligned>(account, Purpose::moments, 10'240));
    alignas(512) std::array<std::byte, 1024> bytes{};
    const std::span<std::byte> all = bytes;
    store.read(9'216, all);
    CHECK_THROWS_AS(store.read(9'728, all), std::out_of_range);
    CHECK_THROWS_AS(store.write(~std::uint64_t{0} - 511, all), std::out_of_range);
    CHECK_THROWS_AS(store.read(256, all), std::invalid_argument);
    CHECK_THROWS_AS(store.read(0, all.first(1000)), std::invalid_argument);
    CHECK_THROWS_WITH(store.write(512, all.subspan(8, 512)),
                      "memory: writing 512 bytes at offset 512: offset, length and address must be multiples "
                      "of 512 bytes");
}

TEST_CASE(
    "store: a request that moved fewer bytes than it was asked for is an error, whatever the store says") {
    Account account(Tier::host);
    auto faulty = std::make_unique<test::FaultyStore>(account, 1000);
    faulty->fails_at = 1;
    faulty->short_count = true;
    ErasedStore store(std::move(faulty));
    std::array<std::byte, 100> bytes{};
    store.read(0, bytes);
    const std::system_error error = error_of([&] { store.read(200, bytes); });
    CHECK(error.code() == std::errc::io_error);
    CHECK_THAT(error.what(), Contains("a faulty store: reading 100 bytes at offset 200 moved 50"));
    store.read(0, bytes);
}

TEST_CASE("store: a transfer that nobody waited for is waited for before its memory goes") {
    Account account(Tier::host);
    auto owned = std::make_unique<test::FaultyStore>(account, 1000);
    test::FaultyStore& faulty = *owned;
    faulty.fails_at = 0;
    ErasedStore store(std::move(owned));
    {
        std::array<std::byte, 100> bytes{};
        ErasedStore::Transfer one = store.start_read(0, bytes), two = store.start_read(0, bytes);
        CHECK(faulty.under_way() == 2);
        two = std::move(one);
        CHECK(faulty.under_way() == 1);
    }
    CHECK(faulty.under_way() == 0);
}

TEST_CASE("scratch file: leaves no name, and its space is reserved") {
    const ScratchDirectory directory;
    const ScratchFile file(directory.path(), 1'000'000);
    struct stat status {};
    REQUIRE(::fstat(file.descriptor(), &status) == 0);
    CHECK(status.st_size == 1'000'000);
    CHECK(status.st_blocks * 512 >= 1'000'000);
    CHECK(directory.empty());
}

TEST_CASE("scratch file: a file system without unnamed files gets one that is unlinked at once") {
    const ScratchDirectory directory;
    FileCalls calls;
    calls.open_unnamed = [](const char*) {
        errno = EOPNOTSUPP;
        return -1;
    };
    ErasedStore store = file_store(directory, 10'000, calls);
    CHECK(directory.empty());
    check_round_trips(store);
}

TEST_CASE("scratch file: two in one directory never meet") {
    const ScratchDirectory directory;
    ErasedStore one = file_store(directory, 10'000), other = file_store(directory, 10'000);
    const std::vector<std::byte> ones = pattern(10'000, 1), others = pattern(10'000, 2);
    std::vector<std::byte> back(10'000);
    one.write(0, ones);
    other.write(0, others);
    one.read(0, back);
    CHECK(back == ones);
}

TEST_CASE("scratch file: a directory that is missing, relative, a file or read-only is a clear error") {
    const ScratchDirectory directory;
    const auto open = [](const std::filesystem::path& path) { ScratchFile(path, 10); };
    const std::system_error missing = error_of([&] { open(directory.path() / "missing"); });
    CHECK(missing.code() == std::errc::no_such_file_or_directory);
    CHECK_THAT(missing.what(), Contains("nvme_path \"" + (directory.path() / "missing").string() + "\""));
    CHECK_THROWS_WITH(open("local_nvme"), Contains("nvme_path \"local_nvme\" is relative"));
    const std::filesystem::path file = directory.path() / "file";
    std::filesystem::copy_file("/proc/self/comm", file);
    CHECK(error_of([&] { open(file); }).code() == std::errc::not_a_directory);

    const std::filesystem::path closed = directory.path() / "closed";
    std::filesystem::create_directory(closed);
    std::filesystem::permissions(closed, std::filesystem::perms(0555));
    std::filesystem::permissions(directory.path(), std::filesystem::perms(0755));
    ChildProcess child([&](const auto& say) {
        test::drop_rights();
        const std::system_error error = error_of([&] { open(closed); });
        say(error.code() == std::errc::permission_denied ? error.what() : "another error");
    });
    CHECK_THAT(child.all(),
               Contains("nvme_path \"" + closed.string() + "\"") && Contains("Permission denied"));
}

TEST_CASE("scratch file: too little space is an error when it is made, with the path and both sizes") {
    const ScratchDirectory directory;
    FileCalls full;
    full.reserve = [](int, off_t, off_t) { return ENOSPC; };
    const std::system_error error = error_of([&] { ScratchFile(directory.path(), 12'345, full); });
    CHECK(error.code() == std::errc::no_space_on_device);
    CHECK_THAT(error.what(), Contains(directory.path().string()) && Contains("cannot reserve 12345 bytes") &&
                                 Contains("are free"));

    times_called = 0;
    FileCalls interrupted;
    interrupted.reserve = [](int file, off_t offset, off_t bytes) {
        return ++times_called < 3 ? EINTR : ::posix_fallocate(file, offset, bytes);
    };
    CHECK(ScratchFile(directory.path(), 1'000, interrupted).size() == 1'000);
    CHECK(times_called == 3);
}

TEST_CASE(
    "file store: on a disk that is full, reserving fails, and so does writing to what was not reserved") {
    const ScratchDirectory directory;
    ChildProcess child([&](const auto& say) {
        if (::unshare(CLONE_NEWNS) != 0 || ::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0 ||
            ::mount("tmpfs", directory.path().c_str(), "tmpfs", 0, "size=1m") != 0)
            return say("cannot mount");
        const std::system_error reserving = error_of([&] { ScratchFile(directory.path(), 2 << 20); });
        say(reserving.code() == std::errc::no_space_on_device ? "full when reserving, " : "another error, ");
        FileCalls sparse;
        sparse.reserve = [](int file, off_t, off_t bytes) { return ::ftruncate(file, bytes); };
        ErasedStore store = file_store(directory, 2 << 20, sparse);
        const std::vector<std::byte> half(1 << 19);
        store.write(0, half);
        const std::system_error writing = error_of([&] {
            for (std::uint64_t at = 1 << 19; at < 2 << 20; at += half.size()) store.write(at, half);
        });
        say(writing.code() == std::errc::no_space_on_device ? "full when writing" : "another error");
    });
    const std::string said = child.all();
    if (said == "cannot mount")
        WARN("skipped: only root can mount a small file system");
    else
        CHECK(said == "full when reserving, full when writing");
}

TEST_CASE("file store: calls that fall short or are interrupted are continued") {
    const ScratchDirectory directory;
    times_called = 0;
    FileCalls lazy;
    lazy.pread = [](int file, void* to, std::size_t bytes, off_t offset) -> ssize_t {
        if (++times_called % 3 == 0) return errno = EINTR, -1;
        return ::pread(file, to, times_called % 2 ? std::min<std::size_t>(bytes, 100) : (bytes + 1) / 2,
                       offset);
    };
    lazy.pwrite = [](int file, const void* from, std::size_t bytes, off_t offset) -> ssize_t {
        if (++times_called % 3 == 0) return errno = EINTR, -1;
        return ::pwrite(file, from, times_called % 2 ? 1 : (bytes + 1) / 2, offset);
    };
    ErasedStore store(std::make_unique<FileStore>(ScratchFile(directory.path(), 20'000, lazy), 1));
    check_round_trips(store);
}

TEST_CASE("file store: an error of the disk is a system_error with path and operation") {
    const ScratchDirectory directory;
    FileCalls broken;
    broken.pread = [](int, void*, std::size_t, off_t) -> ssize_t {
        return errno = error_to_give, error_to_give ? -1 : 0;
    };
    broken.pwrite = [](int, const void*, std::size_t, off_t) -> ssize_t { return errno = error_to_give, -1; };
    std::array<std::byte, 64> bytes{};
    ErasedStore store = file_store(directory, 1000, broken);
    error_to_give = EIO;
    const std::system_error reading = error_of([&] { store.read(7, bytes); });
    CHECK(reading.code() == std::errc::io_error);
    CHECK_THAT(reading.what(),
               Contains("scratch file in " + directory.path().string() + ": reading 64 bytes at offset 7"));
    error_to_give = ENOSPC;
    const std::system_error writing = error_of([&] { store.write(9, bytes); });
    CHECK(writing.code() == std::errc::no_space_on_device);
    CHECK_THAT(writing.what(), Contains(": writing 64 bytes at offset 9"));
    error_to_give = 0;  // as if the file had been cut
    CHECK(error_of([&] { store.read(0, bytes); }).code() == std::errc::io_error);
}

TEST_CASE("file store: more threads than the system starts are an error, not the end of the process") {
    if (test::sanitized) {
        WARN("skipped: a sanitizer needs more address space than the limit leaves");
        return;
    }
    const ScratchDirectory directory;
    ChildProcess child([&](const auto& say) {
        test::limit_address_space();
        try {
            const FileStore store(ScratchFile(directory.path(), 4096), 5000);
            say("it has them all");
        } catch (const std::system_error&) {
            say("an error");
        }
    });
    CHECK(child.all() == "an error");
}

TEST_CASE("file store: a process that is killed leaves nothing behind") {
    const ScratchDirectory directory;
    for (const bool named : {false, true}) {
        ChildProcess child([&](const auto& say) {
            FileCalls calls;
            if (named) calls.open_unnamed = [](const char*) { return errno = EOPNOTSUPP, -1; };
            ErasedStore store = file_store(directory, 1 << 20, calls);
            const std::vector<std::byte> bytes(1 << 18);
            for (std::uint64_t at = 0;; at = (at + bytes.size()) % store.size()) {
                const ErasedStore::Transfer transfer = store.start_write(at, bytes);
                say("x");
            }
        });
        for (int i = 0; i < 20; ++i) child.wait_for_word();
        child.kill();
        CHECK(directory.empty());
    }
}

TEST_CASE("locked pages: where the limit forbids it, a note names the limit and how to raise it") {
    ChildProcess child([](const auto& say) {
        test::limit_locked_memory(65'536);
        test::drop_rights();
        Account account(Tier::host);
        std::vector<std::string> notes;
        Buffer<std::byte> small(account, Purpose::staging, 32'768), large(account, Purpose::staging, 1 << 20);
        const LockedPages locked(small.span(), notes);
        say(std::to_string(locked.bytes()) + ", " + std::to_string(notes.size()) + " notes; ");
        const LockedPages refused(large.span(), notes);
        say(std::to_string(refused.bytes()) + ": " + (notes.empty() ? "no note" : notes[0]));
        say(::mlock(nullptr, 1) == 0 ? "; mlock does nothing" : "");
    });
    const std::string said = child.all();
    if (said.find("mlock does nothing") != std::string::npos) {  // AddressSanitizer sees to that
        WARN("skipped: mlock does nothing here");
        return;
    }
    CHECK_THAT(said, Contains("32768, 0 notes; 0: pin_memory: 1048576 bytes are not locked"));
    CHECK_THAT(said, Contains("RLIMIT_MEMLOCK") && Contains("is 65536 bytes") && Contains("ulimit -l"));
}
