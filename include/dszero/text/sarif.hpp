// SPDX-License-Identifier: MIT
//
// Diagnostics as a SARIF 2.1.0 log, which code scanning services and editors
// read: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
// One log holds every file of a run, so it is collected and then written.
#pragma once

#include <dszero/text/diagnostic.hpp>
#include <dszero/text/write_json.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace dszero {

/// What a code means; a log describes every code that its results have.
struct SarifRule {
    std::string_view code;
    std::string_view title;
    std::string_view text;
    Severity severity = Severity::warning;
};

class SarifLog {
public:
    /// The program that found it all, as others shall name it.
    explicit SarifLog(std::string_view tool, std::string_view version) : tool_(tool), version_(version) {}

    /// A file's diagnostics, located (finish()).
    void add(const Source& source, const Diagnostics& diagnostics) {
        for (const Diagnostic& d : diagnostics) add(source, d, {}, {});
    }

    /// One that somebody has waived, with the reason given; in the source itself, or elsewhere.
    void add_waived(const Source& source, const Diagnostic& d, std::string_view reason, bool in_source) {
        add(source, d, in_source ? "inSource" : "external", reason);
    }

    /// The whole log, indented, with a line end. `rules` describes codes, used or not.
    std::string str(std::span<const SarifRule> rules) const;

private:
    /// `waived`: SARIF's word for where it was; empty: it was not.
    void add(const Source& source, const Diagnostic& d, std::string_view waived, std::string_view because);

    std::string tool_, version_;
    std::vector<std::string> results_;
    std::set<std::string> codes_;
};

/// A path as a URI reference: relative stays relative.
inline std::string uri_of_path(std::string_view path) {
    constexpr std::string_view kept = "-._~/!$&'()*+,;=@";
    constexpr char digits[] = "0123456789ABCDEF";
    std::string uri;
    if (path.starts_with('/')) uri = "file://";
    for (const char c : path) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        const auto byte = static_cast<unsigned char>(c);
        if (plain || kept.find(c) != std::string_view::npos)
            uri += c;
        else
            uri.append("%").append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
    return uri;
}

/// "startLine": …, in characters, not in UTF-16 units: the run says so in "columnKind".
inline std::string sarif_region(const Range& range) {
    return "{\"startLine\":" + std::to_string(range.begin.line) +
           ",\"startColumn\":" + std::to_string(range.begin.column) +
           ",\"endLine\":" + std::to_string(range.end.line) +
           ",\"endColumn\":" + std::to_string(range.end.column) + '}';
}

inline void SarifLog::add(const Source& source, const Diagnostic& d, std::string_view waived,
                          std::string_view because) {
    codes_.insert(d.code);
    std::string out;
    const auto append = [&](std::string_view key, std::string_view text) {
        out += key;
        append_json_string(out, text);
    };
    append("{\"ruleId\":", d.code);
    append(",\"level\":", to_string(d.severity));
    append(",\"message\":{\"text\":", d.hint.empty() ? d.message : d.message + " (hint: " + d.hint + ')');
    const std::string uri = uri_of_path(source.name);
    append("},\"locations\":[{\"physicalLocation\":{\"artifactLocation\":{\"uri\":", uri);
    out += '}';
    if (d.range.begin.line != 0) out += ",\"region\":" + sarif_region(d.range);
    out += '}';
    if (!d.pointer.empty()) {
        append(",\"logicalLocations\":[{\"fullyQualifiedName\":", d.pointer);
        out += "}]";
    }
    out += "}]";
    if (d.replacement) {
        const Span span = d.replacement->span;
        const std::vector<Position> places =
            locate(source.text, {std::uint64_t{span.begin}, std::uint64_t{span.end}});
        append(",\"fixes\":[{\"artifactChanges\":[{\"artifactLocation\":{\"uri\":", uri);
        out += "},\"replacements\":[{\"deletedRegion\":" + sarif_region({places[0], places[1]});
        append(",\"insertedContent\":{\"text\":", d.replacement->text);
        out += "}}]}]}]";
    }
    if (!waived.empty()) {
        append(",\"suppressions\":[{\"kind\":", waived);
        append(",\"justification\":", because);
        out += "}]";
    }
    results_.push_back(std::move(out += '}'));
}

inline std::string SarifLog::str(std::span<const SarifRule> rules) const {
    std::string out =
        "{\n\"$schema\": \"https://json.schemastore.org/sarif-2.1.0.json\",\n\"version\": \"2.1.0\",\n"
        "\"runs\": [{\n\"tool\": {\"driver\": {\"name\": ";
    append_json_string(out, tool_);
    out += ", \"version\": ";
    append_json_string(out, version_);
    out += ", \"rules\": [";
    std::string_view separator = "\n";
    for (const std::string& code : codes_) {
        out.append(separator).append("{\"id\":");
        separator = ",\n";
        append_json_string(out, code);
        for (const SarifRule& rule : rules) {
            if (rule.code != code) continue;
            out += ",\"shortDescription\":{\"text\":";
            append_json_string(out, rule.title);
            out += "},\"fullDescription\":{\"text\":";
            append_json_string(out, rule.text);
            out.append("},\"defaultConfiguration\":{\"level\":\"")
                .append(to_string(rule.severity))
                .append("\"}");
            break;
        }
        out += '}';
    }
    out += "\n]}},\n\"columnKind\": \"unicodeCodePoints\",\n\"results\": [";
    separator = "\n";
    for (const std::string& result : results_) {
        out.append(separator).append(result);
        separator = ",\n";
    }
    return out += "\n]\n}]\n}\n";
}

}  // namespace dszero
