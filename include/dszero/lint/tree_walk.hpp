// SPDX-License-Identifier: MIT
//
// Finding a document's values, and where they stand, by JSON pointers.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/config/reading.hpp>

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

namespace dszero {

class TreeWalk {
public:
    explicit TreeWalk(const Document& document)
        : reading_(document.release, document.source, &document.tree), root_{&document.tree.value, 0} {}

    Members members_of(const Value& object) const { return reading_.members_of(object); }
    Value root() const { return root_; }

    /// The value at a pointer; its json is null if there is none. `owner`: gets the object that holds it.
    Value find(std::string_view pointer, Value* owner = nullptr) const {
        Value at = root_;
        while (!pointer.empty()) {
            const std::size_t end = std::min(pointer.find('/', 1), pointer.size());
            if (owner) *owner = at;
            const std::string key = unescaped(pointer.substr(1, end - 1));
            const Member* found = nullptr;
            const Members members = members_of(at);
            for (const Member& member : members)
                if (at.json->is_object() && member.key == key) found = &member;
            if (!found) return {};
            at = found->value;
            pointer.remove_prefix(end);
        }
        return at;
    }

private:
    /// The key that a part of a pointer stands for.
    static std::string unescaped(std::string_view part) {
        std::string key;
        for (std::size_t i = 0; i < part.size(); ++i) {
            const bool escape = part[i] == '~' && i + 1 < part.size();
            key += !escape ? part[i] : part[++i] == '1' ? '/' : '~';
        }
        return key;
    }

    Reading reading_;
    Value root_;
};

}  // namespace dszero
