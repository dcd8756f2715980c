// SPDX-License-Identifier: MIT
//
// dszero's side of tests/benchmark/run_nvme: waits for a line on standard input, steps once
// over master weights and moments on disk, and prints the seconds.
//
//     nvme_peer FOLDER ELEMENTS THREADS [BUFFERS] [TILE_ELEMENTS]
//
// Lines: uring | file    an AdamW step over a store of that kind (the store for what the lines
//                        name first is made when it is first named)
//        uring-move | file-move    the same without the arithmetic
//        host            bytes of the host tier at their peak, staging included
#include <dszero/engine/file_store.hpp>
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/tiled_step.hpp>
#include <dszero/uring/uring_store.hpp>

#include <chrono>
#include <cstddef>
#include <iostream>
#include <map>
#include <memory>
#include <string>
#include <vector>

using namespace dszero;

int main(int argc, char** argv) try {
    if (argc < 4) return 2;
    const std::string folder = argv[1];
    const std::size_t elements = std::stoul(argv[2]);
    ThreadPool pool(static_cast<unsigned>(std::stoul(argv[3])));
    Tiling tiling;
    if (argc > 4) tiling.buffer_count = std::stoul(argv[4]);
    if (argc > 5) tiling.tile_elements = std::stoul(argv[5]);

    Memory memory;
    std::vector<std::string> notes;
    std::map<std::string, std::unique_ptr<TiledArrays>> places;
    const auto place = [&](const std::string& kind) -> TiledArrays& {
        std::unique_ptr<TiledArrays>& arrays = places[kind];
        if (!arrays) {
            const StoreFactory open = kind == "uring" ? open_uring_store : open_file_store;
            arrays = std::make_unique<TiledArrays>(open(folder, TiledArrays::store_bytes(3, elements), notes),
                                                   3, elements, tiling, memory[Tier::host], notes);
            arrays->fill([](std::size_t, std::size_t count, std::span<const std::span<float>> tile) {
                for (std::size_t i = 0; i < count; ++i) {
                    tile[0][i] = static_cast<float>(i % 1013) / 1013;
                    tile[1][i] = tile[2][i] = 0;
                }
            });
            for (const std::string& note : notes) std::cerr << "note: " << note << '\n';
        }
        return *arrays;
    };
    // bf16 gradients and weights, as stage 3 has them on the device
    Buffer<bf16> gradients(memory[Tier::device], Purpose::gradients, elements);
    Buffer<bf16> weights(memory[Tier::device], Purpose::weights, elements);
    for (std::size_t i = 0; i < elements; ++i) gradients[i] = bf16(static_cast<float>(i % 997) / 997 - 0.5f);
    const auto view = [](Buffer<bf16>& of) {
        return View{reinterpret_cast<std::byte*>(of.data()), of.size(), ScalarType::bf16};
    };
    const ErasedOptimizer optimizer{AdamW()};
    const ShardSegment all[] = {{0, 0, elements}};
    StepScalars at{.lr = 1e-3, .weight_decay = 0.01, .t = 0};

    place("uring");
    std::cout << "ready" << std::endl;
    for (std::string line; std::getline(std::cin, line);) {
        if (line == "host") {
            std::cout << memory[Tier::host].total().peak_bytes << std::endl;
            continue;
        }
        TiledArrays& arrays = place(line.substr(0, line.find('-')));
        const auto before = std::chrono::steady_clock::now();
        if (line.ends_with("-move")) {
            arrays.update([](std::size_t, std::size_t, std::span<const std::span<float>>) {});
        } else {
            ++at.t;
            tiled_step(
                arrays, optimizer, pool, all, [&](std::size_t) { return at; },
                [&](std::size_t) { return view(gradients); }, [&](std::size_t) { return view(weights); });
        }
        std::cout << std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count()
                  << std::endl;
    }
} catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
}
