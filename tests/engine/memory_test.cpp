// SPDX-License-Identifier: MIT
#include <dszero/engine/storage/memory_report.hpp>

#include "support/catch.hpp"
#include "support/sanitizer.hpp"

#include <cstddef>
#include <cstdint>
#include <fstream>
#include <new>
#include <string>
#include <utility>
#include <vector>

using dszero::Account;
using dszero::BudgetError;
using dszero::Buffer;
using dszero::Charge;
using dszero::Memory;
using dszero::Purpose;
using dszero::Tier;

namespace {

/// Resident memory of this process, of which shared libraries are part.
std::size_t resident_bytes() {
    std::ifstream file("/proc/self/statm");
    std::size_t pages = 0, resident = 0;
    file >> pages >> resident;
    return resident * dszero::page_bytes;
}

}  // namespace

TEST_CASE("memory: a buffer is zeroed, aligned to 64 bytes and booked to the byte") {
    Account account(Tier::device);
    for (const std::size_t elements : {1u, 3u, 1000u, 262'144u, 262'145u, 3'000'001u}) {
        Buffer<float> buffer(account, Purpose::weights, elements);
        CHECK(buffer.size() == elements);
        CHECK(account.usage(Purpose::weights).current_bytes == 4 * elements);
        CHECK(reinterpret_cast<std::uintptr_t>(buffer.data()) % 64 == 0);
        bool zero = true;
        for (const float& value : buffer) zero = zero && value == 0;
        CHECK(zero);
        buffer[elements - 1] = 1;
    }
    CHECK(account.total().current_bytes == 0);
    CHECK(account.usage(Purpose::weights).peak_bytes == 12'000'004);
    CHECK(account.usage(Purpose::moments).peak_bytes == 0);
}

TEST_CASE("memory: an empty buffer is no memory") {
    Account account(Tier::host, 0);
    const Buffer<float> buffer(account, Purpose::moments, 0);
    CHECK(buffer.empty());
    CHECK(buffer.span().empty());
    CHECK(account.total().peak_bytes == 0);
}

TEST_CASE("memory: moving a buffer moves its bytes' booking") {
    Account one(Tier::device), other(Tier::host);
    Buffer<float> a(one, Purpose::weights, 10);
    a[3] = 3;
    Buffer<float> b = std::move(a);
    CHECK(b[3] == 3);
    CHECK(one.total().current_bytes == 40);
    Buffer<float> c(other, Purpose::staging, 5);
    c = std::move(b);
    CHECK(c.size() == 10);
    CHECK(other.total().current_bytes == 0);
    CHECK(one.total().current_bytes == 40);
    c = Buffer<float>();
    CHECK(one.total().current_bytes == 0);
    std::vector<Buffer<float>> many;
    for (std::size_t i = 0; i < 20; ++i) many.emplace_back(one, Purpose::weights, i);
    CHECK(one.total().current_bytes == 4 * 190);
}

TEST_CASE("memory: the peak of the total is not the sum of the peaks") {
    Account account(Tier::device);
    { const Charge charge(account, Purpose::weights, 100); }
    { const Charge charge(account, Purpose::moments, 70); }
    CHECK(account.total().peak_bytes == 100);
    CHECK(account.usage(Purpose::moments).peak_bytes == 70);
}

TEST_CASE("memory: a budget is kept to the byte, and its breach changes nothing") {
    Account account(Tier::device, 1000);
    const Charge held(account, Purpose::weights, 600);
    { const Charge exactly(account, Purpose::moments, 400); }
    try {
        const Buffer<float> buffer(account, Purpose::moments, 101);
        FAIL("no error");
    } catch (const BudgetError& error) {
        CHECK(std::string(error.what()) ==
              "device: 404 bytes for moments would exceed the budget of 1000 bytes (600 in use)");
        CHECK(error.tier == Tier::device);
        CHECK(error.purpose == Purpose::moments);
        CHECK(error.asked_bytes == 404);
        CHECK(error.in_use_bytes == 600);
        CHECK(error.budget_bytes == 1000);
    }
    CHECK(account.total().current_bytes == 600);
    CHECK(account.usage(Purpose::moments).peak_bytes == 400);
    CHECK_THROWS_AS(Charge(account, Purpose::staging, ~std::size_t{0}), BudgetError);
    account.set_budget({});
    CHECK_NOTHROW(Charge(account, Purpose::staging, 401));
}

TEST_CASE("memory: what the system does not have is not booked") {
    Account account(Tier::host);
    for (const bool locked : {false, true})
        CHECK_THROWS_AS(Buffer<std::byte>(account, Purpose::weights, std::size_t{1} << 60, locked),
                        std::bad_alloc);
    CHECK(account.total().current_bytes == 0);
}

TEST_CASE("memory: what the account says is resident, and gone when it is given back", "[resident]") {
    if (test::sanitized) {
        WARN("skipped: a sanitizer keeps memory of its own");
        return;
    }
    Account account(Tier::device);
    const std::size_t before = resident_bytes();
    {
        std::vector<Buffer<float>> buffers;
        for (const std::size_t elements : {40'000'000u, 300'001u, 5'000'000u, 262'144u, 17'000'000u})
            buffers.emplace_back(account, Purpose::moments, elements);
        const auto booked = static_cast<double>(account.total().current_bytes);
        const auto resident = static_cast<double>(resident_bytes() - before);
        CHECK(resident == Approx(booked).epsilon(0.02));
    }
    CHECK(resident_bytes() < before + (1 << 20));
}

TEST_CASE("memory: the report has a row for what was used, and a total per tier") {
    Memory memory({.device = 8'388'608});
    const Charge weights(memory[Tier::device], Purpose::weights, 4'194'304);
    { const Charge bucket(memory[Tier::device], Purpose::buckets, 2'097'152); }
    const Charge moments(memory[Tier::host], Purpose::moments, 999);
    const dszero::MemoryReport report = dszero::report(memory, 3);
    CHECK(report.rank == 3);
    CHECK(report.tiers[0].total.peak_bytes == 6'291'456);
    CHECK(to_text(report) ==
          "rank 3, bytes               current             peak           budget\n"
          "device\n"
          "  weights                 4 194 304        4 194 304\n"
          "  buckets                         0        2 097 152\n"
          "  total                   4 194 304        6 291 456        8 388 608\n"
          "host\n"
          "  moments                       999              999\n"
          "  total                         999              999\n");
}
