// SPDX-License-Identifier: MIT
//
// From a document's root to its configuration, or to its zero section alone.
#pragma once

#include <dszero/config/document_checks.hpp>
#include <dszero/config/reading.hpp>
#include <dszero/config/rows/deepspeed_config.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/zero_forms.hpp>
#include <dszero/text/bit_set.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

/// The sections of a document, for telling where a key belongs.
inline Table<Place> zero_places() {
    static constexpr Place places[] = {
        {"zero_optimization", &section<DeepSpeedZeroConfig>},
        {"zero_optimization.offload_param", &section<DeepSpeedZeroOffloadParamConfig>},
        {"zero_optimization.offload_optimizer", &section<DeepSpeedZeroOffloadOptimizerConfig>},
        {"zero_optimization.zenflow", &section<ZenFlowConfig>},
        {"zero_optimization.leaf_module", &section<DeepSpeedZeroLeafModuleConfig>},
    };
    return places;
}

/// Whether some release reads the key at the top level of a document.
inline bool is_top_level_key(std::string_view key) {
    return find_key(section<DeepSpeedConfig>, key) != nullptr;
}

/// A key beside zero_optimization that was meant to be inside it, or to be it, and is no key of the top
/// level. DeepSpeed ignores it silently.
inline void report_stray(const Member& member, Reading& r) {
    const Path path{.key = member.key};
    Nearest nearest(member.key);
    if (!find_member(*r.document, zero_optimization)) nearest.consider(zero_optimization);
    if (!nearest.name().empty()) {
        r.report(Severity::warning, "unknown-key", path.pointer(), r.key_span(member.value),
                 "nothing reads \"" + std::string(member.key) + "\"", "did you mean \"zero_optimization\"?")
            .replacement = Replacement{r.key_span(member.value), "\"zero_optimization\""};
        return;
    }
    const Row* row = find_row(section<DeepSpeedZeroConfig>, member.key);
    if (row && row->is_key)
        r.report(Severity::warning, "misplaced-key", path.pointer(), r.key_span(member.value),
                 std::string(member.key) + " is ignored here", "it belongs in zero_optimization");
}

/// False, and reported, unless the root is an object; else its members.
inline bool open_document(const Value& root, Reading& r, Members& document) {
    r.places = zero_places();
    r.top_level = &section<DeepSpeedConfig>;
    if (!root.json->is_object()) {
        r.check = "root_not_object";
        r.report(Severity::error, "wrong-type", {}, r.value_span(root),
                 "a ds_config document must be an object, got " + r.shown(root));
        return false;
    }
    document = r.members_of(root);
    if (r.has_text() && !r.spelling(root).starts_with('{') && document.empty())
        r.report(Severity::warning, "empty-document", {}, r.value_span(root),
                 "the document is empty: every setting has its default, ZeRO is off");
    return true;
}

/// What DeepSpeed's get_zero_config makes of the document `root`: false, and reported, when it refuses.
/// `config` holds the struct's defaults before.
inline bool judge_zero(const Value& root, Reading& r, DeepSpeedZeroConfig& config) {
    Members document;
    if (!open_document(root, r, document)) return false;
    r.document = &document;
    for (const Member& member : document)
        if (!is_top_level_key(member.key)) report_stray(member, r);
    const std::size_t start = r.diagnostics.size();
    apply_defaults_of(r.behaviour.release, section<DeepSpeedZeroConfig>, &config);
    if (const Member* zero = find_member(document, zero_optimization))
        read_zero_section(&config, zero->value, {}, r, Path{.key = zero_optimization});
    else
        read_members(section<DeepSpeedZeroConfig>, &config, {}, root, r, Path{.key = zero_optimization});
    r.document = nullptr;
    return !r.has_errors_since(start);
}

/// The walk through a document in DeepSpeed's order: the rows of its keys, with the checks between them.
class DocumentWalk {
public:
    DocumentWalk(const Members& document, Reading& r, DeepSpeedConfig& config)
        : reading_(r), config_(config) {
        const auto& rows = section<DeepSpeedConfig>.rows;
        constexpr std::size_t count = schema<DeepSpeedConfig>::rows.size();
        BitSet<count> present;
        const Member* members[count];
        for (const Member& member : document) {
            written_.add(member.key);
            const Row* row = find_key(section<DeepSpeedConfig>, member.key);
            if (!row) report_stray(member, r);
            if (!row || !row->known_to(r.behaviour.release)) continue;
            const std::size_t number = static_cast<std::size_t>(row - rows.first);
            if (present.has(number)) continue;  // repeated: the reader has said so
            present.add(number);
            members[number] = &member;
        }
        present.for_each([&](std::size_t number) {
            given_.push_back({&rows[number], members[number]->key, members[number]->value, true, true});
        });
    }

    /// False, and reported, when DeepSpeed refuses the document.
    bool judge() {
        apply_defaults();
        const std::size_t start = reading_.diagnostics.size();
        const auto& section = dszero::section<DeepSpeedConfig>;
        for (Given& given : given_) {
            const Row& row = *given.row;
            run_checks_before(static_cast<std::size_t>(&row - section.rows.first));
            step("section:", row.key(), [&] {
                given.passed = row.type->read(section.member(&config_, row), given.value, row, reading_,
                                              Path{.key = row.key()});
            });
        }
        run_checks_before(section.rows.size());
        return !reading_.has_errors_since(start);
    }

    /// The tag of the check that DeepSpeed would stop at; empty if there is none.
    const std::string& first_check() const { return first_check_; }

private:
    /// One of DeepSpeed's steps. The first that fails ends its reading: its first error is the one it names.
    template <class Do>
    void step(std::string_view kind, std::string_view name, Do&& run) {
        const std::size_t from = reading_.diagnostics.size();
        reading_.check.clear();
        run();
        auto& diagnostics = reading_.diagnostics;
        if (diagnostics.size() == from) return;
        // the monitor's sections are read as one: a TypeError comes before what is wrong with any field
        const bool overtakes = reading_.check == "shape:monitor" && first_check_ == "section:monitor";
        if (!first_check_.empty() && !overtakes) return;
        const auto first =
            std::find_if(diagnostics.begin() + static_cast<std::ptrdiff_t>(from), diagnostics.end(),
                         [](const Diagnostic& d) { return d.severity == Severity::error; });
        if (first == diagnostics.end()) return;
        for (Diagnostic& d : diagnostics) d.first = false;
        first->first = true;
        first_check_ = reading_.check.empty() ? std::string(kind).append(name) : reading_.check;
    }

    /// Those of an older release, nested ones included.
    void apply_defaults() {
        const Release release = reading_.behaviour.release;
        if (release == newest_release) return;
        const auto& section = dszero::section<DeepSpeedConfig>;
        apply_defaults_of(release, section, &config_);
        for (const Row& row : section.rows) {
            void* const member = section.member(&config_, row);
            if (row.type->section && row.type->section_in(member))
                apply_defaults_of(release, *row.type->section, member);
        }
    }

    /// The checks, from the next one on, that come before the row of that number.
    void run_checks_before(std::size_t row) {
        const Release release = reading_.behaviour.release;
        const Path root{.is_root = true};
        for (; next_check_ < rows_before_checks.size() && rows_before_checks[next_check_] <= row;
             ++next_check_) {
            const DocumentCheck& check = document_checks[next_check_];
            if (release < check.since || release >= check.until) continue;
            if (!check.keys.empty() && !check.keys.may_share_one_with(written_)) continue;
            step("", check.name, [&] {
                Checking checking(&config_, given_, reading_, root, false);
                check.run(checking);
            });
        }
    }

    Reading& reading_;
    DeepSpeedConfig& config_;
    Givens given_;
    RoughKeys written_;
    std::size_t next_check_ = 0;
    std::string first_check_;
};

/// What DeepSpeed's DeepSpeedConfig makes of the document `root`: false, and reported, when it refuses.
/// `config` holds the struct's defaults before. `first_check`: the check that it stops at.
inline bool judge_document(const Value& root, Reading& r, DeepSpeedConfig& config, std::string& first_check) {
    Members document;
    if (!open_document(root, r, document)) {
        r.diagnostics.back().first = true;
        first_check = names_removed_key(*root.json, r.behaviour.release) ? "removed_key" : r.check;
        return false;
    }
    r.document = &document;
    config.optimizer.params = config.scheduler.params = Json();  // without a section there are none
    DocumentWalk walk(document, r, config);
    const bool accepted = walk.judge();
    first_check = walk.first_check();
    r.document = nullptr;
    return accepted;
}

}  // namespace dszero
