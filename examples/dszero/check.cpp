// SPDX-License-Identifier: MIT
//
// dszero check: does DeepSpeed accept it, and if not, where and why?
#include "command.hpp"
#include "input.hpp"
#include "report.hpp"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace dszero::tool {
namespace {

Status check_release(const Input& input, Release release, const Options& options, Output& output) {
    const Document document = judge(input, release, options);
    if (options.json) {
        output.write(open_json_line(input, document) + "}\n");
    } else {
        output.write(render_text(document.source, document.diagnostics, output.style()));
        output.write(summary(document, output.style()) + '\n');
    }
    return document.accepted() ? Status::accepted : Status::refused;
}

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
    for_each_input(options, output, [&](const Input& input) {
        if (input.problem) {
            status = worse(status, report_unreadable(input, options, output));
        } else if (!options.all_releases) {
            status = worse(status, check_release(input, options.release, options, output));
        } else if (!options.json) {
            status = worse(status, check_all_releases(input, options, output));
        } else {
            for (const Release release : releases())
                status = worse(status, check_release(input, release, options, output));
        }
    });
    return status;
}

}  // namespace dszero::tool
