// SPDX-License-Identifier: MIT
//
// Elastic training: a batch size that many numbers of ranks can share. The batch is the one, among a
// few candidates below the allowed size, that most numbers of ranks divide; version 0.2 counts nodes
// instead of ranks, and settles for a batch for these ranks alone where they do not fit.
// Source: deepspeed/elasticity/elasticity.py up to 0.19.7.
#pragma once

#include <dszero/config/coerce.hpp>
#include <dszero/config/exact_number.hpp>
#include <dszero/config/json_values.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/tree.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <numeric>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

struct ElasticBatch {
    std::int64_t train = 0, micro = 0, accumulation = 0;
    std::string_view key;  ///< of the section: what is wrong
    std::string fault;     ///< why DeepSpeed refuses it; empty: it does not
    bool known = true;     ///< false: it has numbers that are not followed here
};

/// What DeepSpeed makes of an enabled section `elasticity` for that many ranks.
ElasticBatch elastic_batch(const Json& elasticity, std::int64_t ranks, Release release);

// ---- the section

struct ElasticityConfig {
    std::vector<std::int64_t> micro_batches;
    double max_batch = 0, version = 0.2;
    double min_gpus = 1, max_gpus = 10000, gpus_per_node = 1, model_parallel_size = 1, min_time = 0;
    bool prefer_larger = true;
};

/// Beyond these DeepSpeed's own loops take minutes.
constexpr double max_elastic_number = 0x1p31;
constexpr std::size_t max_elastic_micro_batches = 16;

/// False, with the fault, or for an unknown result, unless the section can be worked with.
inline bool read_elasticity(const Json& section, ElasticityConfig& config, ElasticBatch& result) {
    const auto refuse = [&](std::string_view key, std::string fault) {
        result.key = key;
        result.fault = std::string(key) + ' ' + std::move(fault);
        return false;
    };
    const auto find = [&](std::string_view key) -> const Json* {
        const auto member = section.find(std::string(key));
        return member == section.end() ? nullptr : &*member;
    };
    const auto as_number = [](const Json& json, bool or_text) -> std::optional<double> {
        if (json.is_string() && !or_text) return std::nullopt;
        const auto number = to_real(json, {}, Behaviour("0.14.5"));  // Python's float()
        return number ? std::optional(number.value) : std::nullopt;
    };

    struct Entry {
        std::string_view key;
        double& value;
        double at_least = -std::numeric_limits<double>::infinity();
    };
    const Entry entries[] = {{"max_train_batch_size", config.max_batch},
                             {"min_gpus", config.min_gpus, 1},
                             {"max_gpus", config.max_gpus, 1},
                             {"model_parallel_size", config.model_parallel_size, 1},
                             {"num_gpus_per_node", config.gpus_per_node, 1},
                             {"min_time", config.min_time, 0},
                             {"version", config.version}};
    for (const Entry& number : entries) {
        const Json* const given = find(number.key);
        if (!given && number.key == "max_train_batch_size")
            return refuse(number.key, "is missing although elasticity is enabled");
        if (!given) continue;
        const std::optional<double> value = as_number(*given, number.key == "version");
        if (!value) return refuse(number.key, "must be a number");
        if (*value < number.at_least)
            return refuse(number.key, number.at_least == 0 ? "must be at least 0" : "must be at least 1");
        number.value = *value;
    }
    if (config.max_gpus < config.min_gpus) return refuse("min_gpus", "must not be greater than max_gpus");
    if (config.version != 0.1 && config.version != 0.2) return refuse("version", "must be 0.1 or 0.2");
    if (config.version != 0.2 && config.model_parallel_size > 1)
        return refuse("model_parallel_size", "needs version 0.2");
    if (const Json* larger = find("prefer_larger_batch")) config.prefer_larger = is_truthy(*larger);

    constexpr std::string_view key = "micro_batch_sizes";
    const Json* const list = find(key);
    if (!list) return refuse(key, "is missing although elasticity is enabled");
    if (!list->is_array() || list->empty()) return refuse(key, "must be a list of integers");
    for (const Json& json : *list) {
        if (json.is_boolean()) return result.known = false;  // an integer to Python, and none to numpy
        if (!json.is_number_integer()) return refuse(key, "must be a list of integers");
        config.micro_batches.push_back(python_number(json, {}).integer);
        if (config.micro_batches.back() <= 0) return refuse(key, "must be greater than 0");
    }
    const bool by_nodes = config.version == 0.2;
    result.known = config.micro_batches.size() <= max_elastic_micro_batches &&
                   config.max_batch <= max_elastic_number &&
                   (!by_nodes || config.gpus_per_node <= max_elastic_number);
    return result.known;
}

// ---- the arithmetic

/// The numbers of ranks, low to high of them, that can share the batch with one of the micro-batches.
inline std::vector<std::int64_t> ranks_for(std::int64_t batch, const std::vector<std::int64_t>& micro_batches,
                                           double low, double high) {
    std::vector<std::int64_t> ranks;
    const auto add = [&](std::int64_t divisor) {
        const auto number = static_cast<double>(divisor);
        if (low <= number && number <= high) ranks.push_back(divisor);
    };
    for (const std::int64_t micro : micro_batches) {
        if (batch % micro != 0) continue;
        const std::int64_t micro_batches_in_it = batch / micro;
        for (std::int64_t i = 1; i * i <= micro_batches_in_it; ++i)
            if (micro_batches_in_it % i == 0) {
                add(i);
                add(micro_batches_in_it / i);
            }
    }
    std::sort(ranks.begin(), ranks.end());
    ranks.erase(std::unique(ranks.begin(), ranks.end()), ranks.end());
    return ranks;
}

/// Numbers with more divisors than any smaller one: OEIS A002182.
inline constexpr std::array<std::int64_t, 38> highly_composite = {
    1,     2,     4,     6,      12,     24,     36,     48,     60,     120,    180,    240,   360,
    720,   840,   1260,  1680,   2520,   5040,   7560,   10080,  15120,  20160,  25200,  27720, 45360,
    50400, 55440, 83160, 110880, 166320, 221760, 277200, 332640, 498960, 554400, 665280, 720720};

struct SharedBatch {
    std::int64_t size = 0;
    std::optional<std::vector<std::int64_t>>
        ranks;  ///< empty: no candidate was better than the smallest micro-batch
};

/// Version 0.1's choice; empty, with the fault or for an unknown result, where there is none.
inline std::optional<SharedBatch> choose_shared_batch(const ElasticityConfig& config, double max_batch,
                                                      double min_gpus, double max_gpus, Release release,
                                                      ElasticBatch& result) {
    const std::vector<std::int64_t>& micro = config.micro_batches;
    const std::int64_t smallest = *std::min_element(micro.begin(), micro.end());
    if (static_cast<double>(*std::max_element(micro.begin(), micro.end())) > max_batch) {
        result.key = "micro_batch_sizes";
        result.fault = "micro_batch_sizes must not be greater than the largest batch";
        return std::nullopt;
    }
    if (min_gpus == 0) min_gpus = 1;
    if (max_gpus == 0) max_gpus = floor_divide(max_batch, static_cast<double>(smallest));

    std::vector<std::int64_t> bases = micro;
    std::int64_t common = 1;
    for (const std::int64_t size : micro) {
        common = std::lcm(common, size);
        result.known = static_cast<double>(common) <= max_elastic_number;
        if (!result.known) return std::nullopt;
    }
    bases.push_back(common);

    SharedBatch best{smallest, std::nullopt};
    std::size_t most = 0;
    for (const std::int64_t base : bases) {
        const auto real = static_cast<double>(base);
        if (real > max_batch && release >= Release("0.19.5")) continue;
        std::int64_t size = base;
        if (real < max_batch) {
            const double times = floor_divide(max_batch, real);
            size *= *(std::upper_bound(highly_composite.begin(), highly_composite.end(), times) - 1);
        }
        auto ranks = ranks_for(size, micro, min_gpus, max_gpus);
        const bool preferred = config.prefer_larger ? size > best.size : size < best.size;
        if (ranks.size() < most || (ranks.size() == most && !preferred)) continue;
        most = ranks.size();
        best = {size, std::move(ranks)};
    }
    return best;
}

inline ElasticBatch elastic_batch(const Json& elasticity, std::int64_t ranks, Release release) {
    ElasticBatch result;
    ElasticityConfig config;
    result.known = ranks > 0;
    if (!result.known || !read_elasticity(elasticity, config, result)) return result;
    const bool by_nodes = config.version == 0.2;
    const double node = config.gpus_per_node, world = static_cast<double>(ranks);
    const double per_node = by_nodes ? floor_divide(node, config.model_parallel_size) : 1;
    if (by_nodes && std::fmod(node, config.model_parallel_size) != 0) {
        result.key = "num_gpus_per_node";
        result.fault = "num_gpus_per_node must be divisible by model_parallel_size";
        return result;
    }
    const auto best = by_nodes ? choose_shared_batch(config, std::trunc(config.max_batch / per_node),
                                                     std::trunc(config.min_gpus / node),
                                                     std::trunc(config.max_gpus / node), release, result)
                               : choose_shared_batch(config, config.max_batch, config.min_gpus,
                                                     config.max_gpus, release, result);
    if (!best) return result;

    double size = static_cast<double>(best->size) * per_node;
    const auto shares = [&](double number) {
        return best->ranks && std::any_of(best->ranks->begin(), best->ranks->end(), [&](std::int64_t shared) {
                   return static_cast<double>(shared) * per_node == number;
               });
    };
    bool fits = shares(world);
    if (by_nodes && best->ranks && !shares(std::floor(world / config.model_parallel_size))) {
        const double here = world / node * per_node;
        std::vector<double> sizes;
        for (const std::int64_t micro : config.micro_batches) {
            const double least = static_cast<double>(micro) * here;
            sizes.push_back(std::floor(config.max_batch / least) * least);
        }
        size = config.prefer_larger ? *std::max_element(sizes.begin(), sizes.end())
                                    : *std::min_element(sizes.begin(), sizes.end());
        fits = std::trunc(here) == world;
    }
    if (!fits) {
        result.fault = std::to_string(ranks) + (ranks == 1 ? " rank cannot" : " ranks cannot") +
                       " share an elastic batch";
        return result;
    }
    result.train = static_cast<std::int64_t>(size);
    std::sort(config.micro_batches.rbegin(), config.micro_batches.rend());
    for (const std::int64_t micro : config.micro_batches)
        if (result.train / ranks % micro == 0) {
            result.micro = micro;
            result.accumulation = result.train / ranks / micro;
            return result;
        }
    result.key = "micro_batch_sizes";
    result.fault = "micro_batch_sizes has none that divides the batch of " + std::to_string(result.train);
    return result;
}

}  // namespace dszero
