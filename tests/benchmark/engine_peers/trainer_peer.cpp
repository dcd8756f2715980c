// SPDX-License-Identifier: MIT
//
// Two ranks that train, for tests/benchmark/run_engine:
//
//     trainer_peer mlp STAGE           four linear layers, 1024 wide, batch 8, fp32, Adam; one
//                                      line on standard input: ten steps, answered by seconds;
//                                      "memory": the process's peak, shared out between the ranks
//     trainer_peer memory STAGE MIB    a 16-bit model whose accounts hold about MIB in all;
//                                      prints the accounts' peaks and the process's, in bytes
//     trainer_peer step STAGE MIB none|cpu|pinned...
//                                      such models beside each other, made in this order, their
//                                      optimizers' states on the device, or in host memory, plain or
//                                      locked; one of the words on standard input: one backward
//                                      pass and a step, answered by the step's seconds
#include "support/engine_config.hpp"

#include <dszero/engine/engine.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include <Eigen/Core>

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace {

using namespace dszero;

constexpr int ranks = 2;

/// VmHWM: the most memory that the process ever had resident.
std::size_t peak_bytes() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
        if (word == "VmHWM:") {
            std::size_t kib = 0;
            status >> kib;
            return kib * 1024;
        }
    return 0;
}

/// What the peers are given as ds_config.json.
Json config_for(int stage, bool bf16) {
    Json json = Json::parse(R"({"train_micro_batch_size_per_gpu": 8, "gradient_clipping": 1.0,
        "optimizer": {"type": "Adam", "params": {"lr": 0.001}},
        "zero_optimization": {"stage3_param_persistence_threshold": 0}})");
    json["zero_optimization"]["stage"] = stage;
    json["bf16"]["enabled"] = bf16;
    return json;
}

/// Calls f once a line of standard input, which only rank 0 reads: it has the line's first letter.
template <class F>
void for_each_order(ThreadCommunicator& comm, const F& f) {
    if (comm.rank() == 0) std::cout << "ready" << std::endl;
    for (;;) {
        std::string line;
        char order = 0;
        if (comm.rank() == 0 && std::getline(std::cin, line)) order = line[0];
        order = all_gather_values(comm, order)[0];
        if (order == 0) return;
        f(order);
    }
}

/// What all ranks together take, in seconds.
template <class F>
double seconds(ThreadCommunicator& comm, const F& f) {
    barrier(comm);
    const auto before = std::chrono::steady_clock::now();
    f();
    barrier(comm);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - before).count();
}

// ------------------------------------------------------------------------ mlp

using Matrix = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
constexpr Eigen::Index width = 1024, batch = 8;
constexpr std::size_t layers = 4;

auto as_matrix(std::span<const float> w) { return Eigen::Map<const Matrix>(w.data(), width, width); }
auto as_row(std::span<const float> b) {
    return Eigen::Map<const Eigen::Matrix<float, 1, Eigen::Dynamic>>(b.data(), width);
}

/// The loss is the mean of the squared outputs.
template <class Engine>
void train_step(Engine& engine, std::vector<Matrix>& activations) {
    for (std::size_t l = 0; l < layers; ++l) {
        const auto w = engine.gather({l});
        Matrix& y = activations[l + 1];
        y.noalias() = activations[l] * as_matrix(w[0]).transpose();
        y.rowwise() += as_row(w[1]);
    }
    Matrix dy = activations[layers] * (2.0f * engine.backward_scale() / (batch * width)), dx(batch, width);
    for (std::size_t l = layers; l-- > 0;) {
        const auto w = engine.gather({l});
        const auto g = engine.gradient({l});
        Eigen::Map<Matrix>(g[0].data(), width, width).noalias() = dy.transpose() * activations[l];
        Eigen::Map<Eigen::Matrix<float, 1, Eigen::Dynamic>>(g[1].data(), width) = dy.colwise().sum();
        if (l != 0) {
            dx.noalias() = dy * as_matrix(w[0]);
            dy.swap(dx);
        }
        engine.reduce({l});
    }
    engine.step();
}

void mlp(int stage) {
    Layout layout;
    for (std::size_t l = 0; l < layers; ++l) {
        const std::string name = std::to_string(l);
        const auto n = static_cast<std::size_t>(width);
        const auto w = layout.add_parameter(name + ".weight", {n, n}),
                   b = layout.add_parameter(name + ".bias", {n});
        layout.add_module(name, {w, b});
    }
    layout.init = [](std::size_t p, std::size_t offset, std::span<float> values) {
        std::minstd_rand random(static_cast<unsigned>(p * 7919 + offset + 1));
        for (float& x : values)
            x = (static_cast<float>(random()) / static_cast<float>(std::minstd_rand::max()) - 0.5f) / 16;
    };
    const test::EngineConfig config = test::engine_config(config_for(stage, false), ranks);
    ThreadWorld{ranks}.run([&](ThreadCommunicator& comm) {
        EngineOptions options;
        Engine<float, ThreadCommunicator> engine(settings_for(config, options, ranks), layout, comm, options);
        std::vector<Matrix> activations(layers + 1, Matrix(batch, width));
        std::mt19937 random(static_cast<unsigned>(comm.rank()));
        std::normal_distribution<float> normal;
        for (Eigen::Index i = 0; i < batch * width; ++i) activations[0].data()[i] = normal(random);
        train_step(engine, activations);
        for_each_order(comm, [&](char order) {
            const double took = seconds(comm, [&] {
                for (int k = 0; k < 10 && order == 's'; ++k) train_step(engine, activations);
            });
            if (comm.rank() == 0)
                std::cout << (order == 's' ? took : static_cast<double>(peak_bytes()) / ranks) << std::endl;
        });
    });
}

// --------------------------------------------------------------------- memory

/// Adam takes 16 bytes a weight of a 16-bit model, however they are shared out; at stages 0 to 2 some more
/// often than once.
std::size_t elements_for(int stage, std::size_t bytes) {
    return bytes / (stage == 0 ? 32 : stage == 1 ? 20 : stage == 2 ? 18 : 16);
}

Layout layout_for(int stage, std::size_t bytes) {
    constexpr std::size_t modules = 32;
    Layout layout;
    for (std::size_t m = 0; m < modules; ++m) {
        const std::string name = std::to_string(m);
        layout.add_module(name, {layout.add_parameter(name, {elements_for(stage, bytes) / modules})});
    }
    return layout;
}

template <class Engine>
void forward_and_backward(Engine& engine) {
    const std::size_t modules = engine.layout().modules.size();
    for (std::size_t m = 0; m < modules; ++m) (void)engine.gather({m});
    for (std::size_t m = modules; m-- > 0;) {
        const auto w = engine.gather({m});
        const auto g = engine.gradient({m});
        for (bf16& x : g[0]) x = bf16::from_bits(0x3c00);
        engine.reduce({m});
    }
}

void memory(int stage, std::size_t bytes) {
    const Layout layout = layout_for(stage, bytes);
    const test::EngineConfig config = test::engine_config(config_for(stage, true), ranks);
    std::atomic<std::size_t> booked = 0;
    ThreadWorld{ranks}.run([&](ThreadCommunicator& comm) {
        EngineOptions options;
        Engine<bf16, ThreadCommunicator> engine(settings_for(config, options, ranks), layout, comm, options);
        for (int step = 0; step < 2; ++step) {
            forward_and_backward(engine);
            engine.step();
        }
        for (const auto& tier : engine.report().memory.tiers) booked += tier.total.peak_bytes;
    });
    std::cout << booked << ' ' << peak_bytes() << std::endl;
}

// ----------------------------------------------------------------------- step

/// In one process: what differs between two of them, pages and cores, would hide what offload costs.
void step(int stage, std::size_t bytes, std::span<const std::string_view> places) {
    const Layout layout = layout_for(stage, bytes);
    const auto config_of = [&](std::string_view place) {
        Json json = config_for(stage, true);
        if (place != "none") {
            Json& offload = json["zero_optimization"]["offload_optimizer"];
            offload["device"] = "cpu";
            offload["pin_memory"] = place == "pinned";
        }
        return test::engine_config(json, ranks);
    };
    ThreadWorld{ranks}.run([&](ThreadCommunicator& comm) {
        const EngineOptions options;
        std::map<char, Engine<bf16, ThreadCommunicator>> engines;
        for (const std::string_view place : places)
            engines.try_emplace(place[0], settings_for(config_of(place), options, ranks), layout, comm,
                                options);
        for_each_order(comm, [&](char place) {
            auto& engine = engines.at(place);
            forward_and_backward(engine);
            const double took = seconds(comm, [&] { engine.step(); });
            if (comm.rank() == 0) std::cout << took << std::endl;
        });
    });
}

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string_view> arguments(argv, argv + argc);
    if (argc == 3 && arguments[1] == "mlp")
        mlp(std::atoi(argv[2]));
    else if (argc == 4 && arguments[1] == "memory")
        memory(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10) << 20);
    else if (argc >= 5 && arguments[1] == "step")
        step(std::atoi(argv[2]), std::strtoul(argv[3], nullptr, 10) << 20, std::span(arguments).subspan(4));
    else
        return EXIT_FAILURE;
}
