// SPDX-License-Identifier: MIT
//
// A ds_config document: read, judged as a DeepSpeed release would, and kept
// together with its text, so that every message can point into it.
//
//     dszero::Document document = dszero::load("ds_config.json");
//     if (!document.accepted()) std::cerr << dszero::render_text(document.source, document.diagnostics);
//     int stage = static_cast<int>(document.value().zero_config.stage);
#pragma once

#include <dszero/config/circumstances.hpp>
#include <dszero/config/deepspeed_config.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/diagnostic.hpp>
#include <dszero/text/dialect.hpp>
#include <dszero/text/render.hpp>
#include <dszero/text/source.hpp>
#include <dszero/text/tree.hpp>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// What of a document is judged.
enum class Scope : unsigned char { document, zero_section };

struct LoadOptions {
    /// The release that judges. A newer one than dszero knows is read as the newest, with a note.
    Release release = newest_release;
    /// The reader; by default the one that the release uses. Dialect::json reads as Accelerate does: strict
    /// JSON, and of repeated keys the last one counts.
    std::optional<Dialect> dialect{};
    /// The whole document, or its section zero_optimization alone; the rest of the configuration then has its
    /// defaults.
    Scope scope = Scope::document;
    std::int64_t world_size = 1;  ///< ranks; the batch numbers are completed for as many
    Accelerator accelerator = Accelerator::cuda;
    Caller caller = Caller::deepspeed;  ///< the others read strict JSON, and fill in certain "auto" values
    std::string name = "<text>";        ///< what messages call a text that is no file
};

/// A text longer than this is refused: no ds_config is, and reading takes up to twenty times its size.
constexpr std::size_t max_document_bytes = std::size_t{64} << 20;

struct Document {
    Source source;
    Tree tree;
    Release release;                    ///< the one that judged
    Scope scope = Scope::document;      ///< what was judged
    Diagnostics diagnostics;            ///< in document order
    std::vector<std::string> warnings;  ///< what DeepSpeed itself would log: deprecated_boolean_format,
                                        ///< deprecated_field:NAME, elastic_checkpoint_with_stage_3
    std::shared_ptr<const DeepSpeedConfig> config;   ///< null when refused
    std::shared_ptr<const DeepSpeedConfig> partial;  ///< of a refused document, what could be read; or null
    std::string first_check;  ///< the check that DeepSpeed stops at; empty when accepted
    bool inferred = false;    ///< no recorded answers stand behind the verdict; a note says why

    /// Whether DeepSpeed accepts the document.
    bool accepted() const { return config != nullptr; }

    /// The configuration. Throws ConfigError, with every problem, when DeepSpeed refuses the document.
    const DeepSpeedConfig& value() const&;
    DeepSpeedConfig value() && { return std::as_const(*this).value(); }
};

/// A document in a text. Throws std::invalid_argument for a release before 0.7.0.
Document parse(std::string text, const LoadOptions& options = {});

/// A document in base64, which DeepSpeed takes instead of a path: repeated keys pass there, the last one
/// counts.
Document parse_base64(std::string_view text, const LoadOptions& options = {});

/// A document in a file. Throws std::system_error, with path and operation, if it cannot be read.
Document load(const std::string& path, LoadOptions options = {});

}  // namespace dszero

#ifndef DSZERO_COMPILED
#include <dszero/config/definitions/document.hpp>
#endif
