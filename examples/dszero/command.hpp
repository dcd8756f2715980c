// SPDX-License-Identifier: MIT
//
// What a command line asks for, the commands that do it, and how they end.
#pragma once

#include "output.hpp"

#include <dszero/config/document.hpp>
#include <dszero/config/release.hpp>
#include <dszero/lint/rule.hpp>
#include <dszero/lint/trainer_facts.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero::tool {

struct Options {
    Release release = newest_release;
    bool all_releases = false;
    Scope scope = Scope::document;
    std::int64_t world_size = 1;
    Accelerator accelerator = Accelerator::cuda;
    Caller caller = Caller::deepspeed;
    std::int64_t gpus_per_node = 0;  ///< 0: unknown
    ModelFacts model;
    bool strict = false;                                                  ///< warnings fail
    std::vector<std::pair<std::string, std::optional<Severity>>> levels;  ///< of codes; none: ignored
    bool json = false;
    std::string format;       ///< as given to --format; empty: not given
    bool unsafe = false;      ///< fix: repairs too that change what DeepSpeed reads
    bool write = false;       ///< change the files
    TrainerFacts facts;       ///< resolve
    bool json_lines = false;  ///< documents come as {"id", "text"} lines on standard input
    std::vector<std::string> files;

    Surroundings around() const { return {world_size, accelerator, caller, gpus_per_node, model}; }
};

/// The exit status. A later one beats an earlier one.
enum class Status {
    accepted = 0,
    refused = 1,
    wrong_call = 2,
    failed = 3,  ///< a file could not be read, or the output not be written
};

inline Status worse(Status a, Status b) { return a < b ? b : a; }

Status check(const Options& options, Output& output);
Status show(const Options& options, Output& output);
Status diff(const Options& options, Output& output);
Status fix(const Options& options, Output& output);
Status resolve(const Options& options, Output& output);
Status schema(const Options& options, Output& output);
Status rules(const Options& options, Output& output);
Status explain(const Options& options, Output& output);

/// Whether check can name that code.
bool is_code(std::string_view code);

}  // namespace dszero::tool
