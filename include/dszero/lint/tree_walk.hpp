// SPDX-License-Identifier: MIT
//
// Finding a document's values, and where they stand, by JSON pointers.
#pragma once

#include <dszero/config/document.hpp>
#include <dszero/config/reading.hpp>

#include <algorithm>
#include <cstddef>
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
            const Member* found = nullptr;
            const Members members = members_of(at);
            for (const Member& member : members)
                if (at.json->is_object() && Path{.key = member.key}.pointer() == pointer.substr(0, end))
                    found = &member;
            if (!found) return {};
            at = found->value;
            pointer.remove_prefix(end);
        }
        return at;
    }

private:
    Reading reading_;
    Value root_;
};

}  // namespace dszero
