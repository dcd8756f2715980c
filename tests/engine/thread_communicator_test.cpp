// SPDX-License-Identifier: MIT
//
// Inputs whose result has a closed form, small enough that every sum is exact in every type.
#include <dszero/engine/numeric/exact_sum.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include "support/catch.hpp"
#include "support/instruction_sets.hpp"

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

using dszero::bf16;
using dszero::Collective;
using dszero::fp16;
using dszero::Share;
using dszero::ThreadCommunicator;
using dszero::ThreadWorld;

namespace {

constexpr int worlds[] = {1, 2, 3, 4, 7};
constexpr std::size_t lengths[] = {0, 1, 4, 63, 100, 1000, 4097, 150'001};

/// Collectives run in threads, where Catch's macros must not: they throw instead.
void require(bool condition, const std::string& what) {
    if (!condition) throw std::logic_error(what);
}

/// Small integers, exact in bf16 even after summing over seven ranks.
float input(std::size_t i, int rank) { return static_cast<float>(i % 13) + static_cast<float>(rank); }
float sum_of_inputs(std::size_t i, int ranks) {
    return static_cast<float>(ranks) * static_cast<float>(i % 13) +
           static_cast<float>(ranks * (ranks - 1) / 2);
}

template <typename T, typename Value>
std::vector<T> made_of(std::size_t length, const Value& value) {
    std::vector<float> floats(length);
    for (std::size_t i = 0; i < length; ++i) floats[i] = value(i);
    std::vector<T> values(length);
    dszero::convert(std::span<const float>(floats), std::span(values));
    return values;
}

template <typename T>
std::vector<T> inputs(std::size_t length, int rank) {
    return made_of<T>(length, [rank](std::size_t i) { return input(i, rank); });
}

template <typename T>
std::vector<T> sums_of_inputs(std::size_t length, int ranks) {
    return made_of<T>(length, [ranks](std::size_t i) { return sum_of_inputs(i, ranks); });
}

/// As equal() on floats would, only faster: no value here is a NaN or a negative zero.
template <typename T>
bool same(const std::vector<T>& a, const std::vector<T>& b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

/// Ranges in a random-looking order: gaps, several per rank, empty ones, ranks with none.
std::vector<Share> odd_shares(std::size_t length, int ranks) {
    std::vector<Share> shares;
    std::size_t begin = 0;
    for (std::size_t k = 0; begin < length; ++k) {
        const std::size_t elements = std::min(length - begin, (k * k * 37) % 501);
        shares.push_back({static_cast<int>((k * 5) % static_cast<std::size_t>(ranks)), begin, elements});
        begin += elements + k % 3;
    }
    for (std::size_t k = 1; k < shares.size(); k += 2) std::swap(shares[k], shares[shares.size() - 1 - k]);
    return shares;
}

/// All in the hands of the last rank: how a bucket within one slice looks.
std::vector<Share> one_owner(std::size_t length, int ranks) { return {{ranks - 1, 0, length}}; }

template <typename T>
std::vector<T> packed(const std::vector<T>& whole, const std::vector<Share>& shares, int rank) {
    std::vector<T> result;
    for (const Share& share : shares)
        for (std::size_t i = 0; share.rank == rank && i < share.elements; ++i)
            result.push_back(whole[share.begin + i]);
    return result;
}

template <typename Check>
void for_each_case(const Check& check) {
    for (const int ranks : worlds)
        for (const std::size_t length : lengths)
            for (const auto& shares :
                 {dszero::equal_shares(length, ranks), odd_shares(length, ranks), one_owner(length, ranks)}) {
                INFO(ranks << " ranks, " << length << " elements, " << shares.size() << " shares");
                CHECK_NOTHROW(check(ranks, length, shares));
            }
}

}  // namespace

TEMPLATE_TEST_CASE("all_reduce: every rank has the sum over all ranks", "", float, bf16, fp16) {
    for_each_instruction_set([] {
        for (const int ranks : worlds)
            for (const std::size_t length : lengths) {
                INFO(ranks << " ranks, " << length << " elements");
                CHECK_NOTHROW(ThreadWorld{ranks}.run([&](auto& comm) {
                    std::vector<TestType> data = inputs<TestType>(length, comm.rank());
                    dszero::all_reduce(comm, std::span(data));
                    require(same(data, sums_of_inputs<TestType>(length, ranks)), "the sums");
                }));
            }
    });
}

TEMPLATE_TEST_CASE("reduce_scatter: each owner has the sums of its shares, and inputs stay as they were", "",
                   float, bf16, fp16) {
    for_each_case([](int ranks, std::size_t length, const std::vector<Share>& shares) {
        ThreadWorld{ranks}.run([&](auto& comm) {
            const std::vector<TestType> data = inputs<TestType>(length, comm.rank());
            std::vector<TestType> out(dszero::elements_of(shares, comm.rank()), TestType(-1.0f));
            dszero::reduce_scatter(comm, data, std::span(out), shares);
            require(same(out, packed(sums_of_inputs<TestType>(length, ranks), shares, comm.rank())),
                    "the sums");
            require(same(data, inputs<TestType>(length, comm.rank())), "the input");
        });
    });
}

TEMPLATE_TEST_CASE("all_gather: every share is everywhere, and what no share names is untouched", "", float,
                   bf16, fp16) {
    for_each_case([](int ranks, std::size_t length, const std::vector<Share>& shares) {
        ThreadWorld{ranks}.run([&](auto& comm) {
            const std::vector<TestType> whole = inputs<TestType>(length, 0);
            const std::vector<TestType> own = packed(whole, shares, comm.rank());
            std::vector<TestType> out(length, TestType(-1.0f));
            std::vector<TestType> expected = out;
            for (const Share& share : shares)
                std::copy_n(whole.begin() + static_cast<std::ptrdiff_t>(share.begin), share.elements,
                            expected.begin() + static_cast<std::ptrdiff_t>(share.begin));
            dszero::all_gather(comm, own, std::span(out), shares);
            require(same(out, expected), "the whole");
        });
    });
}

TEST_CASE("reduce_scatter and all_gather: in place, a rank's share of the buffer is its own") {
    for (const int ranks : worlds)
        for (const std::size_t length : lengths)
            CHECK_NOTHROW(ThreadWorld{ranks}.run([&](auto& comm) {
                std::vector<float> data = inputs<float>(length, comm.rank());
                const std::vector<Share> shares = dszero::equal_shares(length, ranks);
                const Share& own = shares[static_cast<std::size_t>(comm.rank())];
                const std::span<float> piece = std::span(data).subspan(own.begin, own.elements);
                dszero::reduce_scatter(comm, data, piece, shares);
                dszero::all_gather(comm, piece, std::span(data), shares);
                require(same(data, sums_of_inputs<float>(length, ranks)), "the sums");
            }));
}

TEST_CASE("broadcast: the root's data, from any root") {
    for (const int ranks : worlds)
        for (const std::size_t length : lengths)
            CHECK_NOTHROW(ThreadWorld{ranks}.run([&](auto& comm) {
                for (int root = 0; root < ranks; ++root) {
                    std::vector<fp16> data = inputs<fp16>(length, comm.rank());
                    dszero::broadcast(comm, std::span(data), root);
                    require(same(data, inputs<fp16>(length, root)), "the data");
                }
            }));
}

TEST_CASE("sums: added in rank order, the same on every rank and however they are cut") {
    // 1, then 2^-24 six times: each addition rounds back to 1, the other way round it would not.
    for (const std::size_t length : {1u, 64u, 1000u, 200'000u}) {
        CHECK_NOTHROW(ThreadWorld{7}.run([&](auto& comm) {
            std::vector<float> data(length, comm.rank() == 0 ? 1.0f : 0x1p-24f);
            dszero::all_reduce(comm, std::span(data));
            require(data == std::vector<float>(length, 1.0f), "largest first");
            std::fill(data.begin(), data.end(), comm.rank() == 6 ? 1.0f : 0x1p-24f);
            std::vector<float> out(dszero::elements_of(one_owner(length, 7), comm.rank()));
            dszero::reduce_scatter(comm, data, std::span(out), one_owner(length, 7));
            require(
                std::all_of(out.begin(), out.end(), [](float x) { return x == 1.0f + 0x1p-22f + 0x1p-23f; }),
                "largest last");
        }));
    }
}

TEST_CASE("sums: 16-bit types are added in float and rounded once") {
    CHECK_NOTHROW(ThreadWorld{3}.run([&](auto& comm) {
        std::vector<bf16> data(100, bf16(comm.rank() == 0 ? 256.0f : 1.0f));  // bf16 has no 257
        dszero::all_reduce(comm, std::span(data));
        require(data == std::vector<bf16>(100, bf16(258.0f)), "258");
    }));
}

TEST_CASE("works: many at once, waited for in any order, or not at all") {
    for (const int ranks : worlds)
        for (const unsigned helpers : {0u, 1u, 2u})
            CHECK_NOTHROW((ThreadWorld{ranks, helpers}.run([&](auto& comm) {
                std::vector<std::vector<float>> data;
                for (std::size_t k = 0; k < 200; ++k)
                    data.push_back(inputs<float>(k * 97 % 5000, comm.rank()));
                std::vector<dszero::ThreadWork> works;
                for (std::vector<float>& one : data) works.push_back(comm.start_all_reduce(std::span(one)));
                for (std::size_t k = 0; k < works.size(); k += 3) works[(k * 7) % works.size()].wait();
                while (!works[100].done()) std::this_thread::yield();
                works.clear();
                for (const std::vector<float>& one : data)
                    for (std::size_t i = 0; i < one.size(); ++i)
                        require(one[i] == sum_of_inputs(i, ranks), "an element");
            })));
}

TEST_CASE("works: carried out while ranks go on, without a wait") {
    constexpr std::size_t ranks = 3, buckets = 10, length = 100'000;
    std::atomic<std::size_t> started{0};
    CHECK_NOTHROW(ThreadWorld{ranks}.run([&](auto& comm) {
        std::vector<std::vector<float>> data;
        for (std::size_t k = 0; k < buckets; ++k) data.push_back(inputs<float>(length, comm.rank()));
        std::vector<dszero::ThreadWork> works;
        for (std::vector<float>& one : data) {
            works.push_back(comm.start_all_reduce(std::span(one)));
            // The next layer's backward: it ends when all have started this bucket, and did their part of
            // those before.
            ++started;
            while (started < ranks * works.size()) std::this_thread::yield();
        }
        const dszero::TrafficCount reduced = comm.traffic()[Collective::all_reduce];
        require(reduced.bytes == buckets * length * sizeof(float), "the bytes");
        require(reduced.done_bytes >= (buckets - 1) * length * sizeof(float),
                "all but the last are done: " + std::to_string(reduced.done_bytes));
        works.clear();
        require(comm.traffic()[Collective::all_reduce].done_bytes == reduced.bytes, "all is done");
    }));
}

TEST_CASE("works: with a helper, carried out while no rank does anything") {
    CHECK_NOTHROW((ThreadWorld{2, 1}.run([&](auto& comm) {
        std::vector<float> data = inputs<float>(1'000'000, comm.rank());
        dszero::ThreadWork work = comm.start_all_reduce(std::span(data));
        while (!work.done()) std::this_thread::yield();
        require(data[0] == sum_of_inputs(0, 2) && data.back() == sum_of_inputs(999'999, 2), "the sums");
    })));
}

TEST_CASE("traffic: elements and bytes per kind, and what was sent") {
    CHECK_NOTHROW(ThreadWorld{3}.run([&](auto& comm) {
        std::vector<bf16> whole(10), own(comm.rank() == 1 ? 7 : 0);
        const std::vector<Share> shares{{1, 2, 7}};
        dszero::reduce_scatter(comm, whole, std::span(own), shares);
        dszero::all_gather(comm, own, std::span(whole), shares);
        dszero::broadcast(comm, std::span(whole), 2);
        dszero::barrier(comm);
        const dszero::Traffic& traffic = comm.traffic();
        const dszero::TrafficCount& scattered = traffic[Collective::reduce_scatter];
        require(scattered.calls == 1 && scattered.elements == 7 && scattered.bytes == 14, "reduce_scatter");
        require(scattered.sent_elements == (comm.rank() == 1 ? 0u : 7u), "sent to the owner");
        const dszero::TrafficCount& gathered = traffic[Collective::all_gather];
        require(gathered.elements == 7 && gathered.sent_elements == (comm.rank() == 1 ? 14u : 0u),
                "all_gather");
        require(traffic[Collective::broadcast].sent_bytes == (comm.rank() == 2 ? 40u : 0u), "broadcast");
        require(traffic[Collective::control].calls == 1, "control");
        require(traffic[Collective::all_reduce].calls == 0, "all_reduce");
    }));
}

TEST_CASE("values: one from each rank, in rank order; sums merge exactly") {
    for (const int ranks : worlds)
        CHECK_NOTHROW(ThreadWorld{ranks}.run([&](auto& comm) {
            const std::vector<std::int64_t> values =
                dszero::all_gather_values(comm, std::int64_t{10} + comm.rank());
            for (int r = 0; r < ranks; ++r) require(values[static_cast<std::size_t>(r)] == 10 + r, "a value");
            dszero::ExactSum sum;
            const std::vector<float> own(100, static_cast<float>(comm.rank()));
            sum.add_squares(std::span<const float>(own));
            double expected = 0;
            for (int r = 0; r < ranks; ++r) expected += 100.0 * r * r;
            require(dszero::all_merge(comm, sum).value() == expected, "the sum");
        }));
}

TEST_CASE("barrier: nobody passes before everybody has arrived") {
    for (const int ranks : worlds) {
        std::atomic<int> arrived{0};
        CHECK_NOTHROW(ThreadWorld{ranks}.run([&](auto& comm) {
            for (int round = 1; round <= 200; ++round) {
                ++arrived;
                dszero::barrier(comm);
                require(arrived >= round * ranks, "too early");
                dszero::barrier(comm);
            }
        }));
    }
}

TEST_CASE("world: what ranks may not do is an error that says so") {
    const auto message = [](const auto& body) -> std::string {
        try {
            ThreadWorld{3}.run(body);
        } catch (const std::exception& error) {
            return error.what();
        }
        return "no error";
    };
    CHECK(message([](auto& comm) {
              std::vector<float> data(comm.rank() == 2 ? 5 : 4);
              dszero::all_reduce(comm, std::span(data));
          }) == "collective number 0: rank 0 and rank 2 started it with different length");
    CHECK(message([](auto& comm) {
              std::vector<float> floats(4);
              std::vector<bf16> others(4);
              if (comm.rank() == 1)
                  dszero::all_reduce(comm, std::span(others));
              else
                  dszero::all_reduce(comm, std::span(floats));
          }) == "collective number 0: rank 0 and rank 1 started it with different element type");
    CHECK(message([](auto& comm) {
              std::vector<float> data(4);
              if (comm.rank() == 1)
                  dszero::broadcast(comm, std::span(data), 0);
              else
                  dszero::all_reduce(comm, std::span(data));
          }) == "collective number 0: rank 0 and rank 1 started it with different kind");
    CHECK(message([](auto& comm) {
              std::vector<float> data(4);
              dszero::barrier(comm);
              if (comm.rank() != 1) dszero::all_reduce(comm, std::span(data));
          }) == "rank 1 failed: it returned without taking part in collective number 1");
    CHECK(message([](auto& comm) {
              const std::vector<Share> shares = dszero::equal_shares(4, comm.size());
              std::vector<float> whole(4);
              const std::vector<float> own(comm.rank() == 1 ? 4 : dszero::elements_of(shares, comm.rank()));
              dszero::all_gather(comm, own, std::span(whole), shares);
          }) == "shares: rank 1 owns 2 elements, but has a buffer of 4");
    CHECK(message([](auto& comm) {
              std::vector<float> data(4);
              dszero::broadcast(comm, std::span(data), 3);
          }) == "broadcast: there is no rank 3");
    CHECK_THROWS_AS(ThreadWorld{0}, std::invalid_argument);
}

namespace {

struct Boom : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/// One rank throws at some point of a round of collectives, with or without works in flight.
void a_round(ThreadCommunicator& comm, int throwing_rank, int throwing_at) {
    const auto at = [&](int point) {
        if (comm.rank() == throwing_rank && point == throwing_at) throw Boom("at " + std::to_string(point));
    };
    std::vector<float> data(150'000, 1.0f), other(1000, 1.0f);
    at(0);
    dszero::all_reduce(comm, std::span(data));
    at(1);
    dszero::ThreadWork first = comm.start_all_reduce(std::span(data));
    at(2);
    dszero::ThreadWork second = comm.start_all_reduce(std::span(other));
    at(3);
    second.wait();
    at(4);
    dszero::barrier(comm);
    first.wait();
    at(5);
}

}  // namespace

TEST_CASE("errors: an exception in any rank, at any point, ends all ranks with its message") {
    for (const int ranks : worlds)
        for (const unsigned helpers : {0u, 1u})
            for (int throwing_rank = 0; throwing_rank < ranks; ++throwing_rank)
                for (int point = 0; point <= 5; ++point) {
                    INFO(ranks << " ranks, rank " << throwing_rank << " throws at " << point);
                    std::atomic<int> told{0};
                    const auto run = [&] {
                        ThreadWorld{ranks, helpers}.run([&](auto& comm) {
                            try {
                                for (;;) a_round(comm, throwing_rank, point);
                            } catch (const dszero::RankError& error) {
                                const std::string expected = "rank " + std::to_string(throwing_rank) +
                                                             " failed: at " + std::to_string(point);
                                if (error.what() == expected && error.rank() == throwing_rank) ++told;
                                throw;
                            }
                        });
                    };
                    CHECK_THROWS_AS(run(), Boom);
                    CHECK(told == ranks - 1);
                }
}

TEST_CASE("errors: a rank that swallows what the others failed of does not hide it") {
    CHECK_THROWS_AS(ThreadWorld{3}.run([](auto& comm) {
        try {
            if (comm.rank() == 1) throw Boom("first");
            dszero::barrier(comm);
        } catch (const dszero::RankError&) {
        }
    }),
                    Boom);
}

TEST_CASE("errors: a rank that swallows its own while a collective is under way fails at the next one") {
    std::atomic<bool> swallowed{false};
    const auto run = [&] {
        ThreadWorld{2}.run([&](auto& comm) {
            std::vector<float> data(100);
            try {
                if (comm.rank() == 0) {
                    const dszero::ThreadWork work = comm.start_all_reduce(std::span(data));
                    throw Boom("swallowed");
                }
            } catch (const Boom&) {
                swallowed = true;
            }
            while (!swallowed) std::this_thread::yield();
            dszero::barrier(comm);
        });
    };
    CHECK_THROWS_WITH(
        run(), "rank 0 failed: it went on after an exception had passed through an unfinished collective");
}

TEST_CASE("errors: a world can be run again after one") {
    const ThreadWorld world{3};
    CHECK_THROWS_AS(world.run([](auto&) { throw Boom("all"); }), Boom);
    std::atomic<int> ranks{0};
    world.run([&](auto& comm) {
        dszero::barrier(comm);
        ++ranks;
    });
    CHECK(ranks == 3);
}

TEST_CASE("errors: a rank that swallows its own and returns fails, though what it interrupted is complete") {
    dszero::WorkBoard board(2, 0);
    board.interrupt(0);
    CHECK_THROWS_AS(board.leave(0, 0), dszero::RankError);
    CHECK_THROWS_AS(board.check(1), dszero::RankError);  // and does not wait for ever
}
