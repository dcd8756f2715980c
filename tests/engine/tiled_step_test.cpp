// SPDX-License-Identifier: MIT
//
// The optimizer over stores against the same step in memory, bit for bit.
#include <dszero/engine/file_store.hpp>
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/tiled_step.hpp>

#include "support/catch.hpp"
#include "support/faulty_store.hpp"
#include "support/scratch_directory.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

using namespace dszero;  // NOLINT: tests are about it
using test::FaultyStore;

namespace {

std::unique_ptr<MemoryStore> memory_store(Account& account, std::uint64_t bytes) {
    return std::make_unique<MemoryStore>(account, Purpose::moments, static_cast<std::size_t>(bytes));
}

/// A shard with its gradients and 16-bit weights, and what a step does to it.
struct Shard {
    std::vector<ShardSegment> segments;
    std::vector<std::vector<float>> arrays;  ///< masters and states
    std::vector<bf16> gradients, weights;

    explicit Shard(std::size_t elements) : arrays(3), gradients(elements), weights(elements) {
        // segments of any size, one of them empty, and a hole that nobody steps
        const std::size_t cuts[] = {0, 1, 1, 700, 1000, 90'000, elements};
        for (std::size_t i = 0; i + 1 < std::size(cuts); ++i) {
            const std::size_t begin = std::min(cuts[i], elements), end = std::min(cuts[i + 1], elements);
            if (i != 3) segments.push_back({i % 2, begin, std::max(begin, end) - begin});
        }
        for (std::size_t a = 0; a < 3; ++a) {
            arrays[a].resize(elements);
            for (std::size_t i = 0; i < elements && a == 0; ++i)
                arrays[a][i] = static_cast<float>(i * 7 % 129) / 64 - 1;
        }
    }
    void set_gradients(std::int64_t t) {
        for (std::size_t i = 0; i < gradients.size(); ++i)
            gradients[i] =
                bf16((static_cast<float>((i * 11 + static_cast<std::size_t>(t) * 23) % 61) - 30) / 64);
    }
    static View view(std::vector<bf16>& of) {
        return {reinterpret_cast<std::byte*>(of.data()), of.size(), ScalarType::bf16};
    }
    View part(std::vector<bf16>& of, std::size_t i) {
        return view(of).part(segments[i].position, segments[i].elements);
    }
};

StepScalars scalars_at(std::int64_t t, std::size_t group) {
    return {.lr = group == 0 ? 0.01 : 0.02, .weight_decay = 0.1, .inverse_scale = 0.5f, .t = t};
}

void step_in_memory(Shard& shard, const ErasedOptimizer& optimizer, ThreadPool& pool, std::int64_t t) {
    for (std::size_t i = 0; i < shard.segments.size(); ++i) {
        const ShardSegment& s = shard.segments[i];
        const auto of = [&](std::size_t a) {
            return std::span(shard.arrays[a]).subspan(s.position, s.elements);
        };
        optimizer.step(pool, scalars_at(t, s.group),
                       {of(0), {of(1), of(2)}, shard.part(shard.gradients, i), shard.part(shard.weights, i)});
    }
}

void step_in_store(TiledArrays& arrays, Shard& shard, const ErasedOptimizer& optimizer, ThreadPool& pool,
                   std::int64_t t) {
    tiled_step(
        arrays, optimizer, pool, shard.segments, [&](std::size_t group) { return scalars_at(t, group); },
        [&](std::size_t i) { return shard.part(shard.gradients, i); },
        [&](std::size_t i) { return shard.part(shard.weights, i); });
}

void fill_from(TiledArrays& arrays, const Shard& shard) {
    arrays.fill([&](std::size_t first, std::size_t count, std::span<const std::span<float>> tile) {
        for (std::size_t a = 0; a < tile.size(); ++a)
            std::copy_n(shard.arrays[a].begin() + static_cast<std::ptrdiff_t>(first), count, tile[a].begin());
    });
}

bool same_bits(std::span<const float> a, std::span<const float> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

void check_same(TiledArrays& arrays, const Shard& in_store, const Shard& in_memory) {
    for (std::size_t a = 0; a < 3; ++a) {
        std::vector<float> values(arrays.elements());
        arrays.read(a, 0, values);
        CHECK(same_bits(values, in_memory.arrays[a]));
    }
    CHECK(std::equal(in_store.weights.begin(), in_store.weights.end(), in_memory.weights.begin(),
                     [](bf16 x, bf16 y) { return x.bits == y.bits; }));
}

/// Two steps of `elements` through the store, and in memory.
void check_steps(ErasedStore store, std::size_t elements, const Tiling& tiling) {
    Account host(Tier::host);
    std::vector<std::string> notes;
    const ErasedOptimizer optimizer{AdamW()};
    ThreadPool pool(2);
    Shard in_memory(elements), in_store(elements);
    TiledArrays arrays(std::move(store), 3, elements, tiling, host, notes);
    CHECK(host.usage(Purpose::staging).current_bytes == TiledArrays::staging_bytes(3, elements, tiling));
    fill_from(arrays, in_store);
    for (std::int64_t t = 1; t <= 2; ++t) {
        in_memory.set_gradients(t);
        in_store.set_gradients(t);
        step_in_memory(in_memory, optimizer, pool, t);
        step_in_store(arrays, in_store, optimizer, pool, t);
    }
    check_same(arrays, in_store, in_memory);
    CHECK(notes.empty());
}

}  // namespace

TEST_CASE("tiled step: bitwise equal to the step in memory, at any size, tile, buffer count and pipeline") {
    const test::ScratchDirectory directory;
    std::vector<std::string> notes;
    Account account(Tier::host);
    for (const std::size_t elements : {0u, 1u, 1024u, 5'000u, 130'007u})
        for (const std::size_t tile : {1u, 3'000u, 131'072u})
            for (const std::size_t buffers : {0u, 1u, 2u, 3u, 4u, 5u})
                for (const unsigned pipeline : {0u, 1u, 2u, 3u}) {
                    const Tiling tiling{tile, buffers, (pipeline & 1) != 0, (pipeline & 2) != 0, false};
                    CAPTURE(elements, tile, buffers, pipeline);
                    const std::uint64_t bytes = TiledArrays::store_bytes(3, elements);
                    check_steps(ErasedStore(memory_store(account, bytes)), elements, tiling);
                    if (tile == 3'000 && elements > 1024)
                        check_steps(open_file_store(directory.path(), bytes, notes), elements, tiling);
                }
    CHECK(notes.empty());
}

TEST_CASE("tiled step: requests may complete in any order") {
    for (const std::size_t buffers : {1u, 2u, 4u, 7u}) {
        Account account(Tier::host);
        auto store = std::make_unique<FaultyStore>(account, TiledArrays::store_bytes(3, 50'000));
        store->moves_late = true;
        check_steps(ErasedStore(std::move(store)), 50'000, {.tile_elements = 2048, .buffer_count = buffers});
    }
}

TEST_CASE("tiled step: masters that are the weights stay where they are") {
    const std::size_t elements = 3'000;
    Account host(Tier::host);
    std::vector<std::string> notes;
    const ErasedOptimizer optimizer{Adam()};
    ThreadPool pool;
    std::vector<float> gradient(elements, 0.25f), stored(elements, 1.0f), m(elements), v(elements),
        plain = stored;
    const auto view = [](std::vector<float>& of) {
        return View{reinterpret_cast<std::byte*>(of.data()), of.size(), ScalarType::fp32};
    };
    TiledArrays arrays(ErasedStore(memory_store(host, TiledArrays::store_bytes(2, elements))), 2, elements,
                       {.tile_elements = 1024}, host, notes);
    const ShardSegment all[] = {{0, 0, elements}};
    for (std::int64_t t = 1; t <= 2; ++t) {
        optimizer.step(pool, scalars_at(t, 0), {plain, {m, v}, view(gradient), {}});
        tiled_step(
            arrays, optimizer, pool, all, [&](std::size_t) { return scalars_at(t, 0); },
            [&](std::size_t) { return view(gradient); }, [&](std::size_t) { return view(stored); });
    }
    CHECK(same_bits(stored, plain));
    std::vector<float> read(elements);
    arrays.read(1, 0, read);
    CHECK(same_bits(read, v));
}

TEST_CASE("tiled arrays: any part can be read and written") {
    const std::size_t elements = 10'000;
    Account host(Tier::host);
    std::vector<std::string> notes;
    TiledArrays arrays(ErasedStore(memory_store(host, TiledArrays::store_bytes(2, elements))), 2, elements,
                       {.tile_elements = 2048}, host, notes);
    std::vector<float> expected(elements);
    for (const std::size_t first : {0u, 1u, 2047u, 2048u, 5'000u, 9'999u})
        for (const std::size_t count : {0u, 1u, 2u, 2048u, 5'000u}) {
            const std::size_t n = std::min<std::size_t>(count, elements - first);
            std::vector<float> part(n);
            for (std::size_t i = 0; i < n; ++i) part[i] = static_cast<float>(first * 31 + count + i);
            std::copy(part.begin(), part.end(), expected.begin() + static_cast<std::ptrdiff_t>(first));
            arrays.write(1, first, part);
            std::vector<float> back(n), whole(elements);
            arrays.read(1, first, back);
            CHECK(back == part);
            arrays.read(1, 0, whole);
            CHECK(whole == expected);
        }
    std::vector<float> other(elements, 1.0f);
    arrays.read(0, 0, other);
    CHECK(other == std::vector<float>(elements));
}

TEST_CASE("tiled step: an error of the store, at any request, ends the step and leaves nothing moving") {
    const std::size_t elements = 9'000;  // 5 tiles of 3 arrays: 30 requests a step
    for (const bool short_count : {false, true})
        for (const std::size_t buffers : {1u, 2u, 4u})
            for (std::size_t fails_at = 0; fails_at < 30; ++fails_at) {
                Account account(Tier::host), host(Tier::host);
                std::vector<std::string> notes;
                auto owned = std::make_unique<FaultyStore>(account, TiledArrays::store_bytes(3, elements));
                FaultyStore& store = *owned;
                store.moves_late = true;
                const ErasedOptimizer optimizer{AdamW()};
                ThreadPool pool;
                Shard shard(elements);
                shard.set_gradients(1);
                TiledArrays arrays(ErasedStore(std::move(owned)), 3, elements,
                                   {.tile_elements = 2048, .buffer_count = buffers}, host, notes);
                store.fails_at = store.started() + fails_at;
                store.short_count = short_count;
                CHECK_THROWS_AS(step_in_store(arrays, shard, optimizer, pool, 1), std::system_error);
                CHECK(store.under_way() == 0);
            }
}

TEST_CASE("tiled step: an error of the computation comes out, and nothing is left moving") {
    Account account(Tier::host), host(Tier::host);
    std::vector<std::string> notes;
    auto owned = std::make_unique<FaultyStore>(account, TiledArrays::store_bytes(1, 9'000));
    FaultyStore& store = *owned;
    store.moves_late = true;
    TiledArrays arrays(ErasedStore(std::move(owned)), 1, 9'000, {.tile_elements = 2048}, host, notes);
    CHECK_THROWS_AS(arrays.update([](std::size_t first, std::size_t, auto) {
        if (first >= 4096) throw std::runtime_error("no");
    }),
                    std::runtime_error);
    CHECK(store.under_way() == 0);
}

TEST_CASE("erased optimizer: a model steps with gradients of its own type or fp32, and no others") {
    std::vector<float> floats(4);
    std::vector<std::uint16_t> bits(4);
    const auto view = [&](ScalarType type) {
        return type == ScalarType::fp32 ? as_view(floats)
                                        : View{reinterpret_cast<std::byte*>(bits.data()), bits.size(), type};
    };
    ThreadPool pool;
    const ErasedOptimizer optimizer{Sgd()};
    for (const ScalarType model : {ScalarType::fp32, ScalarType::bf16, ScalarType::fp16})
        for (const ScalarType gradient : {ScalarType::fp32, ScalarType::bf16, ScalarType::fp16}) {
            std::vector<float> master(4);
            StepViews views{master, {}, view(gradient), {}};
            if (model != ScalarType::fp32) views.weights = view(model);
            if (gradient == ScalarType::fp32 || gradient == model)
                CHECK_NOTHROW(optimizer.step(pool, {}, views));
            else
                CHECK_THROWS_AS(optimizer.step(pool, {}, views), std::logic_error);
        }
}

TEST_CASE("tiled arrays: too small a store is refused") {
    Account host(Tier::host);
    std::vector<std::string> notes;
    CHECK(TiledArrays::store_bytes(3, 1025) == 3 * 8192);
    CHECK_THROWS_AS(TiledArrays(ErasedStore(memory_store(host, 3 * 8192 - 1)), 3, 1025, {}, host, notes),
                    std::invalid_argument);
}

TEST_CASE("tiled arrays: the pool is buffer_count tiles, and never more than there are") {
    const auto staging = [](std::size_t elements, const Tiling& tiling) {
        return TiledArrays::staging_bytes(3, elements, tiling);
    };
    CHECK(staging(100'000'000, {}) == 4 * 3 * 524'288);
    CHECK(staging(100'000'000, {.buffer_count = 12}) == 12 * 3 * 524'288);
    CHECK(staging(100'000'000, {.buffer_count = 0}) == 3 * 524'288);
    CHECK(staging(100'000'000, {.pipeline_read = false, .pipeline_write = false}) == 4 * 3 * 524'288);
    CHECK(staging(200'000, {}) == 2 * 3 * 524'288);
    CHECK(staging(1'000, {}) == 3 * 4096);
    CHECK(staging(0, {}) == 0);
}
