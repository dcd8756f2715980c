// SPDX-License-Identifier: MIT
//
// Everything there is to say about a document: the verdict's diagnostics, then what
// lint finds, less what somebody has waived. This is what `dszero check` prints.
#pragma once

#include <dszero/lint/lint.hpp>
#include <dszero/lint/verdicts.hpp>
#include <dszero/lint/waiver.hpp>

#include <iterator>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

struct Review {
    Document document;     ///< its diagnostics are the verdict's, less what is waived
    Diagnostics findings;  ///< lint's, then those about waivers in comments
    std::vector<Waived> waived;
    Diagnostics beside;  ///< about the file of waivers, located there

    /// The verdict's, then the findings.
    Diagnostics diagnostics() const {
        Diagnostics all = document.diagnostics;
        all.insert(all.end(), findings.begin(), findings.end());
        return all;
    }
};

/// The row of a code, of a rule or of the verdict; null: there is none.
inline const Rule* find_code(std::string_view code) {
    for (const Rule& verdict : verdicts)
        if (verdict.code == code) return &verdict;
    return find_rule(code);
}

/// Reviews a judged document. `waivers_file`: the text beside it, if there is one.
inline Review review(Document document, const Surroundings& around = {}, const Source& waivers_file = {}) {
    Review result{std::move(document), {}, {}, {}};
    result.findings = lint(result.document, around);

    constexpr auto is_code = [](std::string_view code) { return find_code(code) != nullptr; };
    std::vector<Waiver> inside = waivers_in(result.document), outside = waivers_beside(waivers_file);
    if (inside.empty() && outside.empty()) return result;
    for (std::vector<Waiver>* waivers : {&inside, &outside})
        for (Diagnostics* diagnostics : {&result.document.diagnostics, &result.findings})
            for (Waived& waived : take_waived(*diagnostics, *waivers))
                result.waived.push_back(std::move(waived));
    Diagnostics problems = waiver_problems(result.document.source.text, inside, is_code);
    std::move(problems.begin(), problems.end(), std::back_inserter(result.findings));
    result.beside = waiver_problems(waivers_file.text, outside, is_code);
    return result;
}

}  // namespace dszero
