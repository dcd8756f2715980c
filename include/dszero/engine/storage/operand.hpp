// SPDX-License-Identifier: MIT
//
// Where a step finds a segment's weights: in memory, or in a store that they pass through
// memory to. Offload changes what an operand says, and nothing else.
#pragma once

#include <dszero/engine/numeric/view.hpp>

#include <algorithm>
#include <cstddef>

namespace dszero {

/// A row of scalars that is not in memory, but can be brought there part by part.
class Passage {
public:
    virtual ~Passage() = default;
    /// Memory with up to `wanted` of the row's elements from `position` on, until the next call.
    virtual View read(std::size_t position, std::size_t wanted) = 0;
    /// Memory for up to so many new ones, until written(). What follows without a gap is collected.
    virtual View write(std::size_t position, std::size_t wanted) = 0;
    virtual void written() = 0;
};

/// The first elements are in memory; the others, if any, are a passage's from `position` on.
struct Operand {
    Operand(View memory) : in_memory(memory) {}  // NOLINT: a View is an operand
    Operand(View memory, Passage& others, std::size_t at)
        : in_memory(memory), passage(&others), position(at) {}

    View read(std::size_t offset, std::size_t wanted) const {
        return offset < in_memory.elements ? part(offset, wanted)
                                           : passage->read(position + offset - in_memory.elements, wanted);
    }
    View write(std::size_t offset, std::size_t wanted) const {
        return offset < in_memory.elements ? part(offset, wanted)
                                           : passage->write(position + offset - in_memory.elements, wanted);
    }
    void written(std::size_t offset) const {
        if (offset >= in_memory.elements) passage->written();
    }

    View in_memory;
    Passage* passage = nullptr;
    std::size_t position = 0;

private:
    View part(std::size_t offset, std::size_t wanted) const {
        return in_memory.part(offset, std::min(wanted, in_memory.elements - offset));
    }
};

/// Calls f(offset, next(offset, wanted)) with parts that together are [begin, begin + count), in order.
template <class Next, class F>
void for_each_part(std::size_t begin, std::size_t count, const Next& next, const F& f) {
    for (std::size_t done = 0; done < count;) {
        const View part = next(begin + done, count - done);
        f(begin + done, part);
        done += part.elements;
    }
}

/// Calls f(offset, part) with parts that are elements [begin, begin + count): to be read,
template <class F>
void for_each_read(const Operand& operand, std::size_t begin, std::size_t count, const F& f) {
    for_each_part(
        begin, count, [&](std::size_t at, std::size_t wanted) { return operand.read(at, wanted); }, f);
}

/// … or to be written.
template <class F>
void for_each_written(const Operand& operand, std::size_t begin, std::size_t count, const F& f) {
    for_each_part(
        begin, count, [&](std::size_t at, std::size_t wanted) { return operand.write(at, wanted); },
        [&](std::size_t offset, View part) {
            f(offset, part);
            operand.written(offset);
        });
}

}  // namespace dszero
