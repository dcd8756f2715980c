// SPDX-License-Identifier: MIT
//
// dszero rules and dszero explain: every code that check can name, and what it means.
#include "command.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/lint/review.hpp>

#include <span>
#include <string>
#include <string_view>

namespace dszero::tool {
namespace {

constexpr std::size_t text_width = 100;

/// Words, broken into lines that fit.
std::string wrapped(std::string_view text) {
    std::string out;
    std::size_t column = 0;
    while (!text.empty()) {
        const std::string_view word = text.substr(0, text.find(' '));
        text.remove_prefix(std::min(text.size(), word.size() + 1));
        if (column > 0 && column + 1 + word.size() > text_width) {
            out += '\n';
            column = 0;
        } else if (column > 0) {
            out += ' ';
            ++column;
        }
        out += word;
        column += word.size();
    }
    return out += '\n';
}

std::string releases_of(const Rule& rule) {
    std::string out;
    if (rule.since > oldest_release) out += "since " + rule.since.str();
    if (rule.until < still_there) out += (out.empty() ? "until " : ", until ") + rule.until.str();
    return out;
}

std::string listed(std::string_view heading, std::span<const Rule> rules) {
    constexpr std::size_t code_width = 36, level_width = 9;
    std::string out = std::string(heading) + '\n';
    const auto cell = [&](std::string_view text, std::size_t width) {
        out.append(text).append(text.size() < width ? width - text.size() : 1, ' ');
    };
    for (const Rule& rule : rules) {
        out += "  ";
        cell(rule.code, code_width);
        cell(to_string(rule.severity), level_width);
        out += rule.title;
        if (const std::string when = releases_of(rule); !when.empty()) out += " (" + when + ')';
        out += '\n';
    }
    return out;
}

std::string indented(std::string_view text) {
    std::string out = "  ";
    for (const char c : text) {
        out += c;
        if (c == '\n') out += "  ";
    }
    return out;
}

/// The options of check under which an example is what it is.
std::string options_of(const Example& example) {
    std::string out;
    const Surroundings& around = example.around;
    if (example.release != newest_release) out += " --deepspeed " + example.release.str();
    if (around.world_size != 1) out += " --world-size " + std::to_string(around.world_size);
    if (around.gpus_per_node != 0) out += " --gpus-per-node " + std::to_string(around.gpus_per_node);
    if (around.accelerator == Accelerator::cpu) out += " --accelerator cpu";
    if (around.caller == Caller::huggingface) out += " --caller huggingface";
    if (around.model.parameters) out += " --model parameters=" + std::to_string(around.model.parameters);
    if (around.model.largest_parameter)
        out += " --model largest=" + std::to_string(around.model.largest_parameter);
    return out;
}

std::string explained(const Rule& rule, Style style) {
    std::string out =
        std::string(rule.code) + " (" + to_string(rule.severity) + "): " + std::string(rule.title) + "\n\n";
    out += wrapped(rule.what) + '\n';
    if (const std::string when = releases_of(rule); !when.empty()) out += "DeepSpeed: " + when + '\n';
    out += (rule.source == "dszero" ? "" : "Source: " + std::string(rule.source) + "\n");

    if (rule.bad.text.empty()) return out;
    Input input{"ds_config.json", "null", std::string(rule.bad.text), {}};
    Options options;
    options.world_size = rule.bad.around.world_size;
    options.accelerator = rule.bad.around.accelerator;
    options.caller = rule.bad.around.caller;
    const Document document = judge(input, rule.bad.release, options);
    out += "\nFor example (dszero check" + options_of(rule.bad) + "):\n\n" + indented(rule.bad.text) + "\n\n";
    out += render_text(document.source, review(document, rule.bad.around).diagnostics(), style);
    out += "\nNothing is said about (dszero check" + options_of(rule.good) + "):\n\n" +
           indented(rule.good.text) + '\n';
    if (rule.severity != Severity::error && rule.source != "dszero")
        out += "\nTo keep it quiet:  // dszero: ignore " + std::string(rule.code) + ": why\n";
    return out;
}

}  // namespace

bool is_code(std::string_view code) { return find_code(code) != nullptr; }

Status rules(const Options&, Output& output) {
    output.write(listed("The verdict: what DeepSpeed refuses (error), or reads in another way", verdicts));
    output.write("\n");
    std::string_view heading = "Lint: what DeepSpeed accepts, and then ignores, alters or fails at";
    for (const std::span<const Rule> group : lint_rules) {
        output.write(listed(heading, group));
        heading = "";
    }
    output.write("\ndszero explain CODE says more, with examples.\n");
    return Status::accepted;
}

Status explain(const Options& options, Output& output) {
    Status status = Status::accepted;
    bool first = true;
    for (const std::string& code : options.files) {
        const Rule* rule = find_code(code);
        if (!rule) {
            output.write_error("dszero: there is no code '" + code + "'; dszero rules lists them\n");
            status = Status::wrong_call;
            continue;
        }
        if (!first) output.write("\n");
        first = false;
        output.write(explained(*rule, output.style()));
    }
    return status;
}

}  // namespace dszero::tool
