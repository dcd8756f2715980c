// SPDX-License-Identifier: MIT
//
// From a configuration's struct to its rows, for those who need not see them.
#pragma once

#include <dszero/compiled.hpp>

#include <string_view>

namespace dszero {

/// DeepSpeed's class, or the key of a dictionary; empty for what is no section. Stands beside each struct.
template <class T>
inline constexpr std::string_view section_name{};

template <class T>
concept HasSection = !section_name<T>.empty();

struct Section;  // field.hpp; made of the rows in rows/
template <class T>
const Section& section_of();

/// Whether two objects have the same in every row; an attribute that was moved counts as never given.
/// Sections that hold Json members use it for operator==: a defaulted one would cost compile time for each.
DSZERO_INLINE bool equal_sections(const Section& section, const void* a, const void* b);

}  // namespace dszero
