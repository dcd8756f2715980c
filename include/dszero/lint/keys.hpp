// SPDX-License-Identifier: MIT
//
// The rule on keys that nobody reads. DeepSpeed refuses unknown keys only in the sections
// that it hands to pydantic; at the top level and in plain dictionaries they do nothing.
#pragma once

#include <dszero/config/suggest.hpp>
#include <dszero/lint/linting.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace dszero::rules {

/// Keys that are there for people, or for an editor.
inline bool is_remark(std::string_view key) {
    return key.starts_with('_') || key.starts_with('$') || key.starts_with("//") || key.starts_with('#') ||
           to_lower(key.substr(0, 7)) == "comment";
}

/// Why the key is not read, and where it should be.
inline Suggestion suggest_for(const Member& member, const Section& section, bool top_level,
                              const Linting& lint) {
    Suggestion s = suggest(member.key, section, lint.reading());
    if (!top_level || !s.hint.empty() || s.other.empty()) return s;
    s.hint = "did you mean \"" + std::string(s.other) + "\"?";
    s.rename = s.other;
    return s;
}

/// What DeepSpeed ignores in a dictionary of its, and in those below.
inline void unread_in(Linting& lint, const Part& part, const Section& section, bool top_level) {
    std::vector<const Member*> strangers;  // that remind of nothing
    for (const Member& member : part) {
        const Row* row = find_row(section, member.key);
        const bool is_key = row && row->is_key && row->key() == member.key;
        if (is_key && row->known_to(lint.release())) {
            if (row->type->section && row->type->section->container == Container::dictionary &&
                member.value.json->is_object()) {
                const std::string pointer = Spot{&part, &member}.pointer();
                const Members members = lint.reading().members_of(member.value);
                const Part below{pointer, member.value, &members, 0, members.size()};
                unread_in(lint, below, *row->type->section, false);
            }
            continue;
        }
        if (!is_key && top_level && is_top_level_key(member.key)) continue;
        if (is_remark(member.key) || lint.is_reported({&part, &member})) continue;
        const Suggestion s = suggest_for(member, section, top_level, lint);
        if (s.hint.empty()) {
            strangers.push_back(&member);
            continue;
        }
        Diagnostic& d = lint.at_key({&part, &member},
                                    {"DeepSpeed does not read \"", member.key, "\"", top_level ? "" : " here",
                                     s.code == "misplaced-key" ? "" : s.reason, ": it has no effect"},
                                    {s.hint});
        if (!s.rename.empty())
            d.replacement =
                Replacement{lint.reading().key_span(member.value), '"' + std::string(s.rename) + '"'};
    }
    constexpr std::size_t few = 3;
    if (strangers.size() <= few) {
        for (const Member* member : strangers)
            lint.at_key({&part, member},
                        {"DeepSpeed does not read \"", member->key, "\"", top_level ? "" : " here",
                         ": it has no effect"},
                        {"remove it"});
        return;
    }
    std::string names;
    for (std::size_t i = 0; i < few; ++i) names += '"' + std::string(strangers[i]->key) + "\", ";
    lint.at_key({&part, strangers[0]},
                {"DeepSpeed does not read ", names, "and ", std::to_string(strangers.size() - few),
                 " more keys: they have no effect on it"},
                {"if another program reads them, say so with a comment: // dszero: ignore unread-key: …"});
}

inline void unread_key(Linting& lint) { unread_in(lint, lint.top, section<DeepSpeedConfig>, true); }

inline constexpr Rule key_rules[] = {
    {.code = "unread-key",
     .title = "A key that DeepSpeed does not read",
     .what =
         "Only sections of fixed fields refuse keys that they do not know. At the top level, in optimizer, "
         "aio, activation_checkpointing and other dictionaries an unknown key is ignored without a word.",
     .source = "runtime/config.py",
     .run = unread_key,
     .bad = {R"({"train_batch_size": 8, "gradient_cliping": 1.0})"},
     .good = {R"({"train_batch_size": 8, "gradient_clipping": 1.0})"}},
};

}  // namespace dszero::rules
