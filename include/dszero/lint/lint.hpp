// SPDX-License-Identifier: MIT
//
// What DeepSpeed does not say about a document that it accepts.
//
//     dszero::Document document = dszero::load("ds_config.json");
//     dszero::Diagnostics findings = dszero::lint(document, {.around = {.world_size = 64, .gpus_per_node =
//     8}}); std::cerr << dszero::render_text(document.source, findings);
//
// Rules are grouped by subject, one header each; lint_rules has them all.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/lint/keys.hpp>
#include <dszero/lint/linting.hpp>
#include <dszero/lint/offload.hpp>
#include <dszero/lint/older.hpp>
#include <dszero/lint/optimizer.hpp>
#include <dszero/lint/parallel.hpp>
#include <dszero/lint/precision.hpp>
#include <dszero/lint/readers.hpp>
#include <dszero/lint/reduction.hpp>
#include <dszero/lint/rule.hpp>
#include <dszero/lint/rule_index.hpp>
#include <dszero/lint/scheduler.hpp>
#include <dszero/lint/sizes.hpp>
#include <dszero/lint/stages.hpp>

#include <span>
#include <string_view>

namespace dszero {

/// Every rule, by subject.
inline constexpr std::span<const Rule> lint_rules[] = {
    rules::key_rules,       rules::reader_rules,    rules::stage_rules,     rules::offload_rules,
    rules::optimizer_rules, rules::scheduler_rules, rules::precision_rules, rules::reduction_rules,
    rules::parallel_rules,  rules::size_rules,      rules::older_rules};

/// The rule of that code, or null.
inline const Rule* find_rule(std::string_view code) {
    for (const std::span<const Rule> group : lint_rules)
        for (const Rule& rule : group)
            if (rule.code == code) return &rule;
    return nullptr;
}

/// Everything that the rules find, in document order, located. Of a refused document they see what
/// could be read.
inline Diagnostics lint(const Document& document, const Surroundings& around = {}) {
    if (!document.tree.value.is_object()) return {};
    static constexpr RuleIndex index(lint_rules);
    Linting linting(document, around);
    index.run(linting);
    Diagnostics findings = linting.take();
    finish(document.source.text, findings);
    return findings;
}

}  // namespace dszero
