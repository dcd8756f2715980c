// SPDX-License-Identifier: MIT
//
// What the commands say about one document: a summary for people, the members
// of a line of JSON for programs.
#pragma once

#include "command.hpp"
#include "input.hpp"

#include <dszero/config/document.hpp>

#include <functional>
#include <string>
#include <string_view>

namespace dszero::tool {

/// How an input is read: by `release`, where and by whom the options say.
LoadOptions load_options(const Input& input, Release release, const Options& options);

/// The input, read so.
Document judge(const Input& input, Release release, const Options& options);

/// Says why an input could not be read: on standard error, or as a line of JSON, which ends with
/// `more_members`.
Status report_unreadable(const Input& input, const Options& options, Output& output,
                         std::string_view more_members = {});

/// Says why a document is refused; for commands that need an accepted one.
Status report_refused(const Document& document, Output& output);

/// "ds_config.json: accepted by DeepSpeed 0.19.8 (1 warning)", without a line end. `diagnostics`: the
/// document's, or more.
std::string summary(const Document& document, const Diagnostics& diagnostics, Style style);
inline std::string summary(const Document& document, Style style) {
    return summary(document, document.diagnostics, style);
}

/// "ds_config.json: accepted by DeepSpeed ", where the style allows it in colour.
std::string verdict(std::string_view name, bool accepted, Style style);

/// Shows as a diff how the input becomes `text`, or, where the options say so, changes the file.
void show_change(const Input& input, const std::string& text, const Options& options, Output& output);

/// Works on every input of a command that may change it: the worst status. What cannot be read, or changed,
/// is reported, and the others follow.
Status for_each_document(const Options& options, Output& output,
                         const std::function<Status(const Input&)>& work);

/// {"file": …, "release": …, "accepted": …, "inferred": …, "document": …, "zero_optimization": …, "warnings":
/// …, "diagnostics": …  Two of them are missing where the zero section alone was judged. The caller may add
/// members and closes the brace.
std::string open_json_line(const Input& input, const Document& document, const Diagnostics& diagnostics);
inline std::string open_json_line(const Input& input, const Document& document) {
    return open_json_line(input, document, document.diagnostics);
}

}  // namespace dszero::tool
