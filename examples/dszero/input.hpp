// SPDX-License-Identifier: MIT
//
// The documents that a command works on: files, standard input, or the lines
// of --jsonl, one after the other.
#pragma once

#include "command.hpp"

#include <dszero/config/document.hpp>
#include <dszero/text/diagnostic.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace dszero::tool {

struct Input {
    std::string name;  ///< for people: "ds_config.json", "<stdin>"
    std::string file;  ///< for programs: the argument or the line's id, as JSON
    std::string text;
    std::optional<Diagnostic> problem;  ///< why there is no text
    bool found = false;                 ///< in a folder or by a pattern, not named
    bool is_file = false;               ///< `name` is its path
};

Input read_input(const std::string& argument);

/// Whether a file that was found, not named, is another program's JSON: no command touches that, and each
/// says so.
bool skips(const Input& input, const Document& document, Output& output);

/// Every input of the command line; the JSON files of a folder, and those that a pattern matches, in order.
/// With --jsonl it waits for lines, and has shown all answers to those before it does.
void for_each_input(const Options& options, Output& output, const std::function<void(const Input&)>& visit);

}  // namespace dszero::tool
