// SPDX-License-Identifier: MIT
//
// A view of a constant array. std::span would do, but costs compile time for each
// kind of element, and there are many in the tables of the configuration.
#pragma once

#include <cstddef>
#include <iterator>

namespace dszero {

template <class T>
struct Table {
    constexpr Table() = default;
    template <class Array>
    constexpr Table(const Array& array) : first(std::data(array)), last(first + std::size(array)) {}

    constexpr const T* begin() const { return first; }
    constexpr const T* end() const { return last; }
    constexpr std::size_t size() const { return static_cast<std::size_t>(last - first); }
    constexpr const T& operator[](std::size_t i) const { return first[i]; }

    const T* first = nullptr;
    const T* last = nullptr;
};

}  // namespace dszero
