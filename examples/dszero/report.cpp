// SPDX-License-Identifier: MIT
#include "report.hpp"

#include <dszero/config/write_document.hpp>
#include <dszero/text/replace_file.hpp>
#include <dszero/text/snippet.hpp>
#include <dszero/text/unified_diff.hpp>
#include <dszero/text/write_json.hpp>

#include <algorithm>
#include <exception>

namespace dszero::tool {
namespace {

std::string begin_line(const Input& input, const std::string& release, std::string_view accepted) {
    return ("{\"file\":" + input.file + ",\"release\":" + release + ",\"accepted\":").append(accepted);
}

std::string quoted(Release release) { return '"' + release.str() + '"'; }

/// "2 errors"
std::string counted(std::ptrdiff_t count, std::string_view what) {
    return std::to_string(count).append(" ").append(what).append(count == 1 ? "" : "s");
}

}  // namespace

LoadOptions load_options(const Input& input, Release release, const Options& options) {
    LoadOptions load;
    load.release = release;
    load.scope = options.scope;
    load.world_size = options.world_size;
    load.accelerator = options.accelerator;
    load.caller = options.caller;
    load.name = input.name;
    return load;
}

Document judge(const Input& input, Release release, const Options& options) {
    return parse(input.text, load_options(input, release, options));
}

Status report_unreadable(const Input& input, const Options& options, Output& output,
                         std::string_view more_members) {
    if (options.json) {
        const std::string release =
            options.all_releases ? "null" : quoted(std::min(options.release, newest_release));
        const bool whole = options.scope == Scope::document;
        output.write(begin_line(input, release, "null") +
                     (whole ? ",\"inferred\":false,\"first_check\":null,\"document\":null" : "") +
                     ",\"zero_optimization\":null,\"warnings\":[],\"diagnostics\":" +
                     render_json({*input.problem}).append(more_members) + "}\n");
    } else {
        output.write_error(render_text({input.name, {}}, {*input.problem}, output.error_style()));
    }
    return Status::failed;
}

Status report_refused(const Document& document, Output& output) {
    output.write(render_text(document.source, document.diagnostics, output.style()));
    output.write(summary(document, output.style()) + '\n');
    return Status::refused;
}

std::string verdict(std::string_view name, bool accepted, Style style) {
    std::string out;
    append_visible(out, name);
    out += ": ";
    if (style == Style::colour) out += accepted ? "\x1b[1;32m" : "\x1b[1;31m";
    out += accepted ? "accepted" : "refused";
    if (style == Style::colour) out += "\x1b[0m";
    return out += " by DeepSpeed ";
}

std::string summary(const Document& document, const Diagnostics& diagnostics, Style style) {
    const auto count = [&](Severity severity) {
        return std::count_if(diagnostics.begin(), diagnostics.end(),
                             [&](const Diagnostic& d) { return d.severity == severity; });
    };
    std::string counts;
    for (const Severity severity : {Severity::error, Severity::warning, Severity::note}) {
        if (count(severity) == 0) continue;
        counts += counts.empty() ? " (" : ", ";
        counts += counted(count(severity), to_string(severity));
    }
    if (!counts.empty()) counts += ')';
    return verdict(document.source.name, document.accepted(), style) + document.release.str() + counts;
}

void show_change(const Input& input, const std::string& text, const Options& options, Output& output) {
    output.write(unified_diff(input.name, input.text, text));
    if (options.write && text != input.text) replace_file(input.name, text, input.text);
}

Status for_each_document(const Options& options, Output& output,
                         const std::function<Status(const Input&)>& work) {
    Status status = Status::accepted;
    for_each_input(options, output, [&](const Input& input) {
        try {
            status = worse(status, input.problem ? report_unreadable(input, options, output) : work(input));
        } catch (const std::exception& e) {  // a file that cannot be written, one that is too large
            output.write_error(std::string("dszero: ") + e.what() + '\n');
            status = Status::failed;
        }
    });
    return status;
}

std::string open_json_line(const Input& input, const Document& document, const Diagnostics& diagnostics) {
    std::string out = begin_line(input, quoted(document.release), document.accepted() ? "true" : "false");
    if (document.scope == Scope::document) {
        out += document.inferred ? ",\"inferred\":true" : ",\"inferred\":false";
        out += ",\"first_check\":" + (document.accepted() ? "null" : '"' + document.first_check + '"');
        out += ",\"document\":";
        append_json(out, document.config ? write_document(*document.config, document.release)
                                         : nlohmann::ordered_json());
    }
    out += ",\"zero_optimization\":";
    if (document.config) {
        append_json(out, write_section(section<DeepSpeedZeroConfig>, &document.config->zero_config,
                                       {.release = document.release, .attributes = true}));
    } else {
        out += "null";
    }
    out += ",\"warnings\":[";
    for (const std::string& tag : document.warnings) {
        if (out.back() != '[') out += ',';
        append_json_string(out, tag);
    }
    return out += "],\"diagnostics\":" + render_json(diagnostics);
}

}  // namespace dszero::tool
