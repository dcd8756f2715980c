// SPDX-License-Identifier: MIT
//
// The rule on keys that nobody reads. DeepSpeed refuses unknown keys only in the sections
// that it hands to pydantic; at the top level and in plain dictionaries they do nothing.
#pragma once

#include <dszero/config/suggest.hpp>
#include <dszero/lint/linting.hpp>
#include <dszero/text/small_vector.hpp>

#include <string>
#include <string_view>

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

using UnreadKeys = SmallVector<const Member*, 8>;

/// Says of each key what it should be; of those that remind of nothing, if they are many, all at once.
inline void report_unread(Linting& lint, const Part& part, const Section& section, const UnreadKeys& unread) {
    const bool top_level = part.pointer.empty();
    const std::string_view here = top_level ? "" : " here";
    UnreadKeys strangers;
    for (const Member* member : unread) {
        const Spot spot{&part, member};
        if (lint.is_reported(spot)) continue;
        const Suggestion s = suggest_for(*member, section, top_level, lint);
        if (s.hint.empty()) {
            strangers.push_back(member);
            continue;
        }
        Diagnostic& d = lint.at_key(spot,
                                    {"DeepSpeed does not read \"", member->key, "\"", here,
                                     s.code == "misplaced-key" ? "" : s.reason, ": it has no effect"},
                                    {s.hint});
        if (!s.rename.empty())
            d.replacement =
                Replacement{lint.reading().key_span(member->value), '"' + std::string(s.rename) + '"'};
    }
    constexpr std::size_t few = 3;
    if (strangers.size() <= few) {
        for (const Member* member : strangers)
            lint.at_key({&part, member},
                        {"DeepSpeed does not read \"", member->key, "\"", here, ": it has no effect"},
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

/// What DeepSpeed ignores in a dictionary of its, and in those below. The part's pointer is its path's.
inline void unread_in(Linting& lint, Part part, const Section& section, const Path& path) {
    UnreadKeys unread;
    for (const Member& member : part) {
        const Row* row = find_key(section, member.key);
        if (row && row->known_to(lint.release())) {
            const Section* const inner = row->type->section;
            if (!inner || inner->container != Container::dictionary || !member.value.json->is_object())
                continue;
            const Members members = lint.reading().members_of(member.value);
            unread_in(lint, {{}, member.value, members.begin(), members.end()}, *inner,
                      {.parent = &path, .key = member.key});
        } else if (!is_remark(member.key)) {
            unread.push_back(&member);
        }
    }
    if (unread.empty()) return;
    const std::string pointer = path.pointer();
    part.pointer = pointer;
    report_unread(lint, part, section, unread);
}

inline void unread_key(Linting& lint) {
    unread_in(lint, lint.top, section<DeepSpeedConfig>, {.is_root = true});
}

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
