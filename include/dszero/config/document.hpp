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
#include <dszero/config/judge.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/base64.hpp>
#include <dszero/text/file.hpp>
#include <dszero/text/reader.hpp>
#include <dszero/text/render.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
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
    const DeepSpeedConfig& value() const& {
        if (!config) throw ConfigError(render_text(source, diagnostics), diagnostics);
        return *config;
    }
    DeepSpeedConfig value() && { return std::as_const(*this).value(); }
};

/// A document in a text. Throws std::invalid_argument for a release before 0.7.0.
Document parse(std::string text, const LoadOptions& options = {});

/// A document in base64, which DeepSpeed takes instead of a path: repeated keys pass there, the last one
/// counts.
Document parse_base64(std::string_view text, const LoadOptions& options = {});

/// A document in a file. Throws std::system_error, with path and operation, if it cannot be read.
Document load(const std::string& path, LoadOptions options = {});

// ---- the parts

/// The releases whose answers to whole documents were recorded.
inline constexpr std::array<Release, 4> recorded_releases = {"0.14.5", "0.16.9", "0.18.9", "0.19.8"};

/// Says where the verdict on a whole document does not rest on recorded answers.
inline void note_what_is_inferred(Document& document) {
    const auto note = [&](std::string message) {
        document.inferred = true;
        document.diagnostics.push_back(
            {Severity::note, "inferred", {}, nowhere(), std::move(message), {}, {}, false});
    };
    const Release release = document.release;
    if (std::find(recorded_releases.begin(), recorded_releases.end(), release) == recorded_releases.end())
        note("the verdict of DeepSpeed " + release.str() +
             " is inferred: from what 0.14.5, 0.16.9, 0.18.9 and 0.19.8 answer, and what changed in between");
    if (!document.config) return;
    const Json& elasticity = document.config->elasticity;
    const auto enabled = elasticity.find("enabled");
    if (enabled != elasticity.end() && is_truthy(*enabled) && !elastic_batch(elasticity, 1, release).known)
        note("the verdict is inferred: elasticity is enabled with numbers that dszero does not follow");
}

/// Judges a document whose text is in place.
inline void judge(Document& document, const ReadOptions& read_options, const LoadOptions& options) {
    const bool readable = read(document.source, read_options, document.tree, document.diagnostics);
    if (!readable) document.first_check = "read";
    for (Diagnostic& d : document.diagnostics) {
        if (d.severity != Severity::error) continue;
        d.first = true;
        break;
    }
    if (!document.tree.nodes.empty()) {
        Reading reading(document.release, document.source, &document.tree,
                        {options.world_size, options.accelerator, options.caller});
        // make_shared would fill its 8 KiB with zeros before its members have their defaults
        const auto made = std::make_shared_for_overwrite<DeepSpeedConfig>();
        DeepSpeedConfig& config = *made;
        std::string first_check;
        const Value root{&document.tree.value, 0};
        const bool accepted = options.scope == Scope::document
                                  ? judge_document(root, reading, config, first_check)
                                  : judge_zero(root, reading, config.zero_config);
        if (readable) {
            document.warnings = std::move(reading.warnings);
            document.first_check = std::move(first_check);
        } else {
            reading.demote(0);
        }
        (readable && accepted ? document.config : document.partial) = made;
        if (document.diagnostics.empty()) document.diagnostics.swap(reading.diagnostics);
        for (Diagnostic& d : reading.diagnostics) document.diagnostics.push_back(std::move(d));
    }
    if (options.scope == Scope::document) note_what_is_inferred(document);
    finish(document.source.text, document.diagnostics);
}

inline Document make_document(std::string text, const LoadOptions& options, ReadOptions read_options) {
    if (options.release < oldest_release)
        throw std::invalid_argument("dszero knows DeepSpeed from " + oldest_release.str() + " on, not " +
                                    options.release.str());
    Document document;
    document.source = {options.name, std::move(text)};
    document.scope = options.scope;
    document.release = std::min(options.release, newest_release);
    if (options.release > newest_release)
        document.diagnostics.push_back({Severity::note,
                                        "newer-release",
                                        {},
                                        nowhere(),
                                        "DeepSpeed " + options.release.str() +
                                            " is newer than this dszero: judged as " + newest_release.str(),
                                        "update dszero",
                                        {}});
    const bool read_by_caller = options.caller != Caller::deepspeed;
    const bool hjson = Behaviour(document.release).hjson && !read_by_caller;
    read_options.dialect = options.dialect.value_or(hjson ? Dialect::hjson : Dialect::json);
    if (options.dialect == Dialect::json || read_by_caller) read_options.repeated_keys_refused = false;
    if (document.source.text.size() > max_document_bytes) {
        document.source.text.resize(0);
        document.diagnostics.push_back({Severity::error,
                                        "too-large",
                                        {},
                                        nowhere(),
                                        "the document has over 64 MiB, too much for a configuration",
                                        {},
                                        {}});
        return document;
    }
    judge(document, read_options, options);
    return document;
}

inline Document parse(std::string text, const LoadOptions& options) {
    return make_document(std::move(text), options, {});
}

inline Document parse_base64(std::string_view text, const LoadOptions& options) {
    if (auto decoded = decode_base64(text))
        return make_document(std::move(*decoded), options,
                             {.repeated_keys_refused = false, .line_ends_translated = false});
    Document document;
    document.source.name = options.name;
    document.release = std::min(options.release, newest_release);
    document.diagnostics.push_back({Severity::error,
                                    "base64",
                                    {},
                                    nowhere(),
                                    "the text is not base64: its padding is incorrect",
                                    "if it is meant to be a path, no such file exists: use load()",
                                    {}});
    return document;
}

inline Document load(const std::string& path, LoadOptions options) {
    options.name = path;
    return make_document(read_file(path, max_document_bytes + 1), options, {});
}

}  // namespace dszero
