// SPDX-License-Identifier: MIT
//
// The texts that the benchmarks read: every .json file of a folder (DSZERO_CORPUS in the
// environment, else shared/corpus beside the checkout) that nlohmann and dszero both accept.
#pragma once

#include <dszero/text/reader.hpp>

#include <benchmark/benchmark.h>
#include <nlohmann/json.hpp>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <utility>
#include <vector>

inline const std::vector<dszero::Source>& documents() {
    static const std::vector<dszero::Source> all = [] {
        std::vector<dszero::Source> sources;
        const char* named = std::getenv("DSZERO_CORPUS");
        const std::filesystem::path corpus = named ? named : DSZERO_SHARED "/corpus";
        if (!std::filesystem::exists(corpus)) return sources;
        for (const auto& entry : std::filesystem::recursive_directory_iterator(corpus)) {
            if (entry.path().extension() != ".json") continue;
            std::ifstream file(entry.path(), std::ios::binary);
            dszero::Source source{entry.path().string(), {std::istreambuf_iterator<char>(file), {}}};
            dszero::Tree tree;
            dszero::Diagnostics problems;
            if (nlohmann::ordered_json::accept(source.text) && dszero::read(source, {}, tree, problems))
                sources.push_back(std::move(source));
        }
        return sources;
    }();
    return all;
}

/// What to say where there are none.
inline constexpr char no_documents[] = "no corpus: name a folder in DSZERO_CORPUS";
