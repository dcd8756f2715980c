// SPDX-License-Identifier: MIT
//
// train: trains a small GPT on text, once for each configuration, and compares the runs.
// This file is the command line; how the engine is used, train.cpp shows.
#include "report.hpp"

#include <CLI/CLI.hpp>

#include <cstdio>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

namespace {

constexpr const char* footer = R"(Examples:
  train --config ds_config.json
  train --config stage0.json --config stage3.json --ranks 4 --svg stages.svg
  train --config stage3.json --device-budget 512MiB

Exit status: 0, every run went through; 1, one did not, or a file could not be read or was refused;
2, the command line is wrong.)";

struct Options : gpt::TrainOptions {
    std::vector<std::string> configs;
    std::vector<std::string> text = {"include"};
    std::string chart;
};

void add_options(CLI::App& app, Options& options) {
    const auto add_count = [&](const char* name, auto& number, const char* description) {
        app.add_option(name, number, description)->capture_default_str()->check(CLI::PositiveNumber);
    };
    const auto add_budget = [&](const char* name, std::optional<std::size_t>& bytes,
                                const char* description) {
        const auto set = [&bytes](const std::size_t& given) { bytes = given; };
        app.add_option_function<std::size_t>(name, set, description)
            ->transform(CLI::AsSizeValue(true))
            ->option_text("SIZE");
    };
    app.add_option("--config", options.configs, "A ds_config.json; several are run one after the other")
        ->required()
        ->option_text("FILE...");
    app.add_option("--text", options.text, "What to train on: files, folders (default: include)")
        ->option_text("PATH...");
    add_count("--ranks", options.ranks, "Ranks, each a thread");
    add_count("--threads-per-rank", options.threads_per_rank, "Threads that compute for a rank");
    add_count("--steps", options.steps, "Steps of the optimizer");
    app.add_option("--progress", options.progress_every, "Steps between lines of progress; 0: none")
        ->capture_default_str();
    add_count("--layers", options.shape.layers, "The model's blocks");
    add_count("--heads", options.shape.heads, "Attention heads in each");
    add_count("--width", options.shape.width, "Numbers that stand for a byte; a multiple of the heads");
    add_count("--context", options.shape.context, "Bytes of a sequence");
    add_budget("--device-budget", options.budgets.device, "What a rank may hold: 512MiB, say");
    add_budget("--host-budget", options.budgets.host, "The same in host memory");
    add_budget("--nvme-budget", options.budgets.nvme, "The same on NVMe");
    add_count("--tile-elements", options.tile_elements,
              "What moves to or from a disk at a time, of each optimizer state");
    app.add_option("--svg", options.chart, "Where to draw memory and losses")->option_text("FILE");
}

/// Those that DeepSpeed accepts for that many ranks; of the others, and of what is doubtful, it prints what
/// is wrong.
std::vector<dszero::DeepSpeedConfig> load(const std::vector<std::string>& paths, int ranks) {
    std::vector<dszero::DeepSpeedConfig> configs;
    for (const std::string& path : paths) {
        const dszero::Document document = dszero::load(path, {.world_size = ranks});
        std::cerr << dszero::render_text(document.source, document.diagnostics);
        if (document.accepted()) configs.push_back(document.value());
    }
    return configs;
}

int run(const Options& options) {
    const std::vector<dszero::DeepSpeedConfig> configs = load(options.configs, options.ranks);
    if (configs.size() != options.configs.size()) return 1;
    const gpt::Text text = gpt::Text::read(options.text);
    std::vector<gpt::Run> runs;
    for (std::size_t i = 0; i < configs.size(); ++i) {
        const std::string name = std::filesystem::path(options.configs[i]).stem().string();
        std::cout << name << '\n';
        try {
            runs.push_back(gpt::train(configs[i], text, options));
            runs.back().name = name;
            for (const std::string& note : runs.back().reports.front().notes)
                std::cout << "note: " << note << '\n';
            std::cout << gpt::memory_table(runs.back()) << std::endl;
        } catch (const std::exception& e) {  // the others may well fit
            std::cout << std::flush;
            std::cerr << "train: " << options.configs[i] << ": " << e.what() << '\n';
        }
    }
    if (!runs.empty()) std::cout << gpt::comparison(runs, text.unigram_entropy());
    if (!runs.empty() && !options.chart.empty()) {
        gpt::write_chart(options.chart, runs, text.unigram_entropy());
        std::cout << "Drawn: " << options.chart << '\n';
    }
    return runs.size() == configs.size() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Trains a small GPT with dszero's engine, once for each configuration.", "train");
    app.footer(footer);
    Options options;
    add_options(app, options);
    try {
        app.parse(argc, argv);
    } catch (const CLI::ParseError& e) {
        return app.exit(e) == 0 ? 0 : 2;
    }
    try {
        return run(options);
    } catch (const std::exception& e) {
        std::cerr << "train: " << e.what() << '\n';
        return 1;
    }
}
