// SPDX-License-Identifier: MIT
//
// Behind document.hpp: from a text to a Document.
#pragma once

#include <dszero/compiled.hpp>
#include <dszero/config/circumstances.hpp>
#include <dszero/config/document.hpp>
#include <dszero/config/judge.hpp>
#include <dszero/config/release.hpp>
#include <dszero/text/base64.hpp>
#include <dszero/text/file.hpp>
#include <dszero/text/reader.hpp>
#include <dszero/text/render.hpp>

#include <algorithm>
#include <array>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

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

DSZERO_INLINE const DeepSpeedConfig& Document::value() const& {
    if (!config) throw ConfigError(render_text(source, diagnostics), diagnostics);
    return *config;
}

DSZERO_INLINE Document parse(std::string text, const LoadOptions& options) {
    return make_document(std::move(text), options, {});
}

DSZERO_INLINE Document parse_base64(std::string_view text, const LoadOptions& options) {
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

DSZERO_INLINE Document load(const std::string& path, LoadOptions options) {
    options.name = path;
    return make_document(read_file(path, max_document_bytes + 1), options, {});
}

}  // namespace dszero
