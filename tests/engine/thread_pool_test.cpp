// SPDX-License-Identifier: MIT
#include <dszero/engine/threads/thread_pool.hpp>

#include "support/catch.hpp"
#include "support/child_process.hpp"
#include "support/sanitizer.hpp"

#include <atomic>
#include <cstddef>
#include <set>
#include <stdexcept>
#include <system_error>
#include <thread>
#include <vector>

using dszero::ThreadPool;

TEST_CASE("thread pool: every element is visited once, whatever the number of threads") {
    for (const unsigned threads : {0u, 1u, 2u, 5u}) {
        ThreadPool pool(threads);
        for (const std::size_t elements : {0u, 1u, 99u, 100u, 101u, 12'345u}) {
            std::vector<int> visits(elements, 0);
            pool.parallel_for(
                elements,
                [&](std::size_t begin, std::size_t count) {
                    for (std::size_t i = begin; i < begin + count; ++i) ++visits[i];
                },
                100);
            CHECK(visits == std::vector<int>(elements, 1));
        }
    }
}

TEST_CASE("thread pool: pieces begin at the same multiples with any number of threads") {
    for (const unsigned threads : {1u, 3u}) {
        ThreadPool pool(threads);
        std::mutex mutex;
        std::set<std::size_t> begins;
        pool.parallel_for(
            1000,
            [&](std::size_t begin, std::size_t) {
                const std::lock_guard lock(mutex);
                begins.insert(begin);
            },
            300);
        CHECK(begins == std::set<std::size_t>{0, 300, 600, 900});
    }
}

TEST_CASE("thread pool: an exception comes out of the loop, and the pool goes on") {
    ThreadPool pool(2);
    for (int round = 0; round < 20; ++round) {
        CHECK_THROWS_WITH(pool.parallel_for(
                              1000,
                              [](std::size_t begin, std::size_t) {
                                  if (begin == 500) throw std::runtime_error("at 500");
                              },
                              10),
                          "at 500");
        std::atomic<std::size_t> sum{0};
        pool.parallel_for(
            1000, [&](std::size_t, std::size_t count) { sum += count; }, 10);
        CHECK(sum == 1000);
    }
}

TEST_CASE("thread pool: several callers share it") {
    ThreadPool pool(3);
    std::vector<std::thread> callers;
    std::atomic<std::size_t> sum{0};
    for (int caller = 0; caller < 4; ++caller)
        callers.emplace_back([&] {
            for (int round = 0; round < 50; ++round)
                pool.parallel_for(
                    1000, [&](std::size_t, std::size_t count) { sum += count; }, 7);
        });
    for (std::thread& caller : callers) caller.join();
    CHECK(sum == 4 * 50 * 1000);
}

TEST_CASE("thread pool: more threads than the system starts are an error, not the end of the process") {
    if (test::sanitized) {
        WARN("skipped: a sanitizer needs more address space than the limit leaves");
        return;
    }
    test::ChildProcess child([](const auto& say) {
        test::limit_address_space();
        try {
            const ThreadPool pool(5000);
            say("it has them all");
        } catch (const std::system_error&) {
            say("an error");
        }
    });
    CHECK(child.all() == "an error");
}
