// SPDX-License-Identifier: MIT
//
// A recorded run of the real DeepSpeed: its configuration and model, what it was fed
// (closed formulas: shared/conformance/engine/README.md), and what was observed.
#pragma once

#include <dszero/config/json_values.hpp>
#include <dszero/layout/parameters.hpp>

#include <zlib.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <optional>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

/// The text in a file, which may be gzipped.
inline std::string read_text(const std::filesystem::path& path) {
    std::string text;
    gzFile file = gzopen(path.c_str(), "rb");  // reads what is not compressed as it is
    if (!file) throw std::runtime_error("cannot open " + path.string());
    char block[1 << 16];
    int count = 0;
    while ((count = gzread(file, block, sizeof block)) > 0)
        text.append(block, static_cast<std::size_t>(count));
    gzclose(file);
    if (count < 0) throw std::runtime_error("cannot read " + path.string());
    return text;
}

/// Fp32 values as hex digits; empty where a value is missing.
inline std::vector<std::optional<float>> floats_in(std::string_view hex) {
    std::vector<std::optional<float>> values;
    for (std::size_t i = 0; i + 8 <= hex.size(); i += 8) {
        const std::string digits(hex.substr(i, 8));
        values.emplace_back();
        if (digits[0] != '.')
            values.back() = std::bit_cast<float>(static_cast<std::uint32_t>(std::stoul(digits, nullptr, 16)));
    }
    return values;
}

struct Scenario {
    std::string name;
    Json json;

    std::int64_t integer(const char* key, std::int64_t preset) const {
        const auto at = json["scenario"].find(key);
        return at == json["scenario"].end() ? preset : at->get<std::int64_t>();
    }
    std::size_t ranks() const { return json["world"].get<std::size_t>(); }
    bool quadratic() const { return json["scenario"]["loss"] == "quadratic"; }
    const Json& config() const { return json["ds_config"]; }
    /// With a folder of this machine for the one of the recording's.
    Json config_on(const std::filesystem::path& nvme) const {
        std::string text = config().dump();
        for (std::size_t at = 0; (at = text.find("@NVME@", at)) != std::string::npos;)
            text.replace(at, 6, nvme.string());
        return Json::parse(text);
    }
    const Json& steps() const { return json["steps"]; }
    int stage() const {
        return config().contains("zero_optimization") ? config()["zero_optimization"].value("stage", 0) : 0;
    }
    bool enabled(const char* type) const {
        return config().contains(type) && config()[type].value("enabled", false);
    }
    bool sixteen_bit() const { return enabled("fp16") || enabled("bf16"); }

    /// Why the scenario is no reference; empty if it is one.
    std::string why_skipped() const {
        if (json.contains("not_a_reference")) {
            const Json& why = json["not_a_reference"];
            return "not a reference" + (why.is_string() ? ": " + why.get<std::string>() : std::string());
        }
        if (stage() == 0 && sixteen_bit())
            return "16-bit stage 0: DeepSpeed takes an extra step at the start";
        return {};
    }

    // ---- what it was fed

    static std::int64_t mod(std::int64_t a, std::int64_t b) { return ((a % b) + b) % b; }
    float initial_weight(std::size_t parameter, std::size_t element) const {
        const auto i = static_cast<std::int64_t>(parameter), j = static_cast<std::int64_t>(element);
        return static_cast<float>(mod(13 * i + 7 * j + 3 * (j / 5) + 17 * integer("seed", 0), 129) - 64) / 64;
    }
    /// The linear loss's coefficient, or the quadratic one's target.
    float fed(std::size_t parameter, std::size_t element, std::size_t rank, std::size_t step,
              std::size_t micro) const {
        const auto i = static_cast<std::int64_t>(parameter), j = static_cast<std::int64_t>(element);
        const auto r = static_cast<std::int64_t>(rank), s = static_cast<std::int64_t>(step);
        const auto m = static_cast<std::int64_t>(micro), q = integer("seed", 0);
        if (quadratic())
            return static_cast<float>(
                       mod(5 * i + 3 * j + 7 * (j / 11) + 19 * r + 7 * s + 11 * m + 23 * q, 101) - 50) /
                   32;
        return static_cast<float>(mod(37 * i + 11 * j + 5 * (j / 7) + 17 * r + 23 * s + 29 * m + 41 * q, 61) -
                                  30) /
               64;
    }
    /// All of a parameter's, with what was injected.
    std::vector<float> all_fed(std::size_t parameter, std::size_t elements, std::size_t rank,
                               std::size_t step, std::size_t micro) const {
        std::vector<float> values(elements);
        for (std::size_t j = 0; j < elements; ++j) values[j] = fed(parameter, j, rank, step, micro);
        if (const auto inject = json["scenario"].find("inject"); inject != json["scenario"].end())
            for (const Json& one : *inject)
                if (one["param"] == parameter && one["rank"] == rank && one["step"] == step &&
                    one["micro"] == micro)
                    values[one["elem"].get<std::size_t>()] = one["value"].is_string()
                                                                 ? std::stof(one["value"].get<std::string>())
                                                                 : one["value"].get<float>();
        return values;
    }

    // ---- the model

    std::size_t index_of(const std::string& parameter) const {
        for (std::size_t p = 0; p < json["params"].size(); ++p)
            if (json["params"][p][0] == parameter) return p;
        throw std::runtime_error("no parameter " + parameter);
    }
    /// Modules in the order in which forward uses them.
    Layout layout() const {
        Layout layout;
        const auto frozen = [&](const Json& parameter) {
            const auto list = json["scenario"].find("frozen");
            return list != json["scenario"].end() &&
                   std::find(list->begin(), list->end(), parameter) != list->end();
        };
        for (const Json& parameter : json["params"])
            layout.add_parameter(parameter[0], parameter[1].get<std::vector<std::size_t>>(),
                                 frozen(parameter[0]));
        for (const Json& top : json["exec"])  // a module, then what is nested in it
            for (const Parameter& parameter : layout.parameters) {
                const std::string module = parameter.name.substr(0, parameter.name.rfind('.'));
                if (module != top && !module.starts_with(top.get<std::string>() + '.')) continue;
                const auto known = std::find_if(layout.modules.begin(), layout.modules.end(),
                                                [&](const Module& m) { return m.name == module; });
                const auto p = static_cast<std::size_t>(&parameter - layout.parameters.data());
                if (known == layout.modules.end())
                    layout.add_module(module, {p});
                else
                    known->parameters.push_back(p);
            }
        if (const auto groups = json["scenario"].find("param_groups"); groups != json["scenario"].end())
            for (const Json& group : *groups) {
                layout.groups.emplace_back();
                for (const Json& parameter : group["names"])
                    layout.groups.back().parameters.push_back(index_of(parameter));
                if (group.contains("lr")) layout.groups.back().lr = group["lr"].get<double>();
                if (group.contains("weight_decay"))
                    layout.groups.back().weight_decay = group["weight_decay"].get<double>();
            }
        layout.init = [this](std::size_t p, std::size_t offset, std::span<float> values) {
            for (std::size_t j = 0; j < values.size(); ++j) values[j] = initial_weight(p, offset + j);
        };
        return layout;
    }
};

/// All scenarios in a folder, by name; files that hold none are left out.
inline std::vector<Scenario> scenarios_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> paths;
    if (std::filesystem::is_directory(folder))
        for (const auto& entry : std::filesystem::directory_iterator(folder)) {
            const std::string name = entry.path().filename().string();
            if (name.ends_with(".json") || name.ends_with(".json.gz")) paths.push_back(entry.path());
        }
    std::sort(paths.begin(), paths.end());
    std::vector<Scenario> scenarios;
    for (const auto& path : paths) {
        const std::string file = path.filename().string();
        Scenario scenario{file.substr(0, file.find(".json")), Json::parse(read_text(path))};
        if (scenario.json.is_object() && scenario.json.contains("scenario"))
            scenarios.push_back(std::move(scenario));
    }
    return scenarios;
}

}  // namespace test
