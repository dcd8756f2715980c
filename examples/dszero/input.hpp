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
};

Input read_input(const std::string& argument);

/// Whether a document looks like a ds_config, and not like another program's JSON.
bool is_ds_config(const Document& document);

/// Every input of the command line; the JSON files of a folder, and those that a pattern matches, in order.
/// With --jsonl it waits for lines, and has shown all answers to those before it does.
void for_each_input(const Options& options, Output& output, const std::function<void(const Input&)>& visit);

}  // namespace dszero::tool
