// SPDX-License-Identifier: MIT
//
// Diagnostics for people (source line and caret) and for programs (JSON).
// What is quoted can do nothing to a terminal: snippet.hpp. The work per diagnostic
// is bounded, however long the line that it points into.
#pragma once

#include <dszero/text/diagnostic.hpp>
#include <dszero/text/source.hpp>

#include <string>

namespace dszero {

enum class Style { plain, colour };

/// Each diagnostic as
///
///     ds_config.json:3:25: error: reduce_bucket_size must be greater than 0, got -1 [out-of-bounds]
///       "reduce_bucket_size": -1,
///                             ^~
///       hint: ...
///
/// One at line 0 has no place in the text: its pointer stands for it, if it has one, and no line is shown.
std::string render_text(const Source& source, const Diagnostics& diagnostics, Style style = Style::plain);

/// [{"severity", "code", "pointer", "line", "column", "end_line", "end_column", "message", "hint"}, ...]
/// An absent hint is null, and so are lines and columns of a diagnostic at line 0. The error that DeepSpeed
/// would stop at has "first": true as well.
std::string render_json(const Diagnostics& diagnostics);

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/text/definitions/render.hpp>
#endif
