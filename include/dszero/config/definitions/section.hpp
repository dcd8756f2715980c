// SPDX-License-Identifier: MIT
//
// Behind section_of.hpp.
#pragma once

#include <dszero/compiled.hpp>
#include <dszero/config/section.hpp>
#include <dszero/config/section_of.hpp>

namespace dszero {

template <class T>
const Section& section_of() {
    static_assert(HasSection<T>, "a section's name stands beside its struct");
    return section<T>;
}

DSZERO_INLINE bool equal_sections(const Section& section, const void* a, const void* b) {
    const Writing writing{newest_release, true};
    for (const Row& row : section.rows) {
        const void* const in_a = section.member(a, row);
        const void* const in_b = section.member(b, row);
        if (row.type->section) {
            const void* const nested_a = row.type->section_in(in_a);
            const void* const nested_b = row.type->section_in(in_b);
            if (!nested_a != !nested_b) return false;
            if (nested_a && !equal_sections(*row.type->section, nested_a, nested_b)) return false;
            continue;
        }
        const Json one = row.type->write(in_a, writing), other = row.type->write(in_b, writing);
        if (!one.is_discarded() && !other.is_discarded() && !equal(one, other)) return false;
    }
    return true;
}

}  // namespace dszero
