// SPDX-License-Identifier: MIT
//
// dszero check: does DeepSpeed accept it, and if not, where and why?
#include "command.hpp"
#include "input.hpp"
#include "report.hpp"

#include <dszero/lint/review.hpp>
#include <dszero/text/annotations.hpp>
#include <dszero/text/sarif.hpp>
#include <dszero/version.hpp>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dszero::tool {
namespace {

/// The file of waivers beside an input, with a problem if there is one that cannot be read; empty where there
/// is none.
Input waivers_beside(const Input& input) {
    const std::string path = input.name + ".waivers";
    std::error_code none;
    return input.is_file && std::filesystem::exists(path, none) ? read_input(path) : Input{};
}

/// Gives codes the severity that the command line asks for. What DeepSpeed refuses stays an error.
void apply_levels(const Options& options, Diagnostics& diagnostics) {
    for (const auto& [code, level] : options.levels) {
        const auto is_meant = [&wanted = code](const Diagnostic& d) {
            return d.code == wanted && d.severity != Severity::error;
        };
        for (Diagnostic& d : diagnostics)
            if (level && is_meant(d)) d.severity = *level;
        if (!level) std::erase_if(diagnostics, is_meant);
    }
}

/// Whether there is something among them that the file fails for.
bool fails(const Diagnostics& diagnostics, bool strict) {
    return std::any_of(diagnostics.begin(), diagnostics.end(), [&](const Diagnostic& d) {
        return d.severity == Severity::error || (strict && d.severity == Severity::warning);
    });
}

std::string waived_json(const std::vector<Waived>& waived) {
    std::string out = ",\"waived\":[";
    for (const Waived& one : waived) {
        out += out.back() == '[' ? "{\"code\":" : ",{\"code\":";
        append_json_string(out, one.finding.code);
        out += ",\"pointer\":";
        append_json_string(out, one.finding.pointer);
        out.append(",\"line\":").append(std::to_string(one.finding.range.begin.line)).append(",\"reason\":");
        append_json_string(out, one.reason);
        out += '}';
    }
    return out += ']';
}

/// Checks files one after the other, and says what it finds in one of the formats.
class Checker {
public:
    Checker(const Options& options, Output& output) : options_(options), output_(output) {}

    Status check(const Input& input, Release release) {
        Document document = judge(input, release, options_);
        if (skips(input, document, output_)) return Status::accepted;
        const bool verdict_alone = options_.scope != Scope::document || options_.all_releases;
        const Input waivers = verdict_alone ? Input{} : waivers_beside(input);
        const Source beside{waivers.name, waivers.text};
        Review review = verdict_alone ? Review{std::move(document), {}, {}, {}}
                                      : dszero::review(std::move(document), options_.around(), beside);
        Status status = review.document.accepted() ? Status::accepted : Status::refused;
        for (Diagnostics* diagnostics : {&review.document.diagnostics, &review.findings, &review.beside}) {
            apply_levels(options_, *diagnostics);
            if (fails(*diagnostics, options_.strict)) status = Status::refused;
        }
        write(input, beside, review);
        if (waivers.problem) status = worse(status, report_unreadable(waivers));
        return status;
    }

    /// What comes behind the last file.
    void finish() {
        if (options_.format != "sarif") return;
        std::vector<SarifRule> described;
        const auto describe = [&](std::span<const Rule> rules) {
            for (const Rule& rule : rules)
                described.push_back({rule.code, rule.title, rule.what, rule.severity});
        };
        describe(verdicts);
        for (const std::span<const Rule> group : lint_rules) describe(group);
        output_.write(sarif_.str(described));
    }

    /// An input that could not be read.
    Status report_unreadable(const Input& input) {
        const Source source{input.name, {}};
        if (options_.format == "sarif") sarif_.add(source, {*input.problem});
        if (options_.format == "github") output_.write(render_annotations(source, {*input.problem}));
        return tool::report_unreadable(input, options_, output_, ",\"findings\":[],\"waived\":[]");
    }

private:
    void write(const Input& input, const Source& beside, const Review& review) {
        const Document& document = review.document;
        if (options_.json) {
            output_.write(open_json_line(input, document, document.diagnostics) + ",\"findings\":" +
                          render_json(review.findings) + waived_json(review.waived) + "}\n");
            return;
        }
        const Diagnostics all = review.diagnostics();
        if (options_.format == "sarif") {
            sarif_.add(document.source, all);
            sarif_.add(beside, review.beside);
            for (const Waived& waived : review.waived)
                sarif_.add_waived(document.source, waived.finding, waived.reason, waived.in_document);
        } else if (options_.format == "github") {
            output_.write(render_annotations(document.source, all));
            output_.write(render_annotations(beside, review.beside));
        } else {
            output_.write(render_text(document.source, all, output_.style()));
            output_.write(render_text(beside, review.beside, output_.style()));
            output_.write(summary(document, all, output_.style()) + '\n');
        }
    }

    const Options& options_;
    Output& output_;
    SarifLog sarif_{"dszero", version_string()};
};

/// Releases in a row that say the same about a document.
struct Group {
    Release first, last;
    Document document;  ///< as the last one sees it
    Diagnostics reasons;

    std::string str() const { return first == last ? first.str() : first.str() + " to " + last.str(); }
};

bool same_reason(const Diagnostic& a, const Diagnostic& b) {
    return a.code == b.code && a.pointer == b.pointer && a.range == b.range;
}

std::vector<Group> group_releases(const Input& input, const Options& options) {
    std::vector<Group> groups;
    for (const Release release : releases()) {
        Group now{release, release, judge(input, release, options), {}};
        std::copy_if(now.document.diagnostics.begin(), now.document.diagnostics.end(),
                     std::back_inserter(now.reasons),
                     [](const Diagnostic& d) { return d.severity == Severity::error; });
        const bool same = !groups.empty() && groups.back().document.accepted() == now.document.accepted() &&
                          std::equal(now.reasons.begin(), now.reasons.end(), groups.back().reasons.begin(),
                                     groups.back().reasons.end(), same_reason);
        if (same) {
            now.first = groups.back().first;
            groups.back() = std::move(now);
        } else {
            groups.push_back(std::move(now));
        }
    }
    return groups;
}

/// Why not, for each row of releases that refuses; then who accepts.
Status check_all_releases(const Input& input, const Options& options, Output& output) {
    const std::vector<Group> groups = group_releases(input, options);
    std::string accepted_by;
    for (const Group& group : groups) {
        if (group.document.accepted()) {
            accepted_by += (accepted_by.empty() ? "" : ", ") + group.str();
        } else {
            output.write(verdict(input.name, false, output.style()) + group.str() + ":\n");
            output.write(render_text(group.document.source, group.reasons, output.style()));
        }
    }
    if (accepted_by.empty()) {
        output.write(verdict(input.name, false, output.style()) + "in all releases\n");
    } else {
        output.write(verdict(input.name, true, output.style()) + accepted_by + '\n');
    }
    const bool everywhere = groups.size() == 1 && !accepted_by.empty();
    return everywhere ? Status::accepted : Status::refused;
}

}  // namespace

Status check(const Options& options, Output& output) {
    Status status = Status::accepted;
    Checker checker(options, output);
    for_each_input(options, output, [&](const Input& input) {
        if (input.problem) {
            status = worse(status, checker.report_unreadable(input));
        } else if (!options.all_releases) {
            status = worse(status, checker.check(input, options.release));
        } else if (input.found && skips(input, judge(input, newest_release, options), output)) {
            return;
        } else if (!options.json && options.format != "sarif" && options.format != "github") {
            status = worse(status, check_all_releases(input, options, output));
        } else {
            for (const Release release : releases()) status = worse(status, checker.check(input, release));
        }
    });
    checker.finish();
    return status;
}

}  // namespace dszero::tool
