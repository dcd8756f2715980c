// SPDX-License-Identifier: MIT
//
// A named text, and places in it.
// A place is a byte offset while work is going on; line and column are counted
// once, at the end, for the few places that somebody will read (locate()).
#pragma once

#include <dszero/text/small_vector.hpp>

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace dszero {

/// A text and the name that messages give it: a path, or "<text>".
struct Source {
    std::string name;
    std::string text;  ///< The bytes exactly as they were found.
};

/// Byte offsets into a Source's text, half-open. Texts end below 4 GiB.
struct Span {
    std::uint32_t begin = 0;
    std::uint32_t end = 0;

    bool operator==(const Span&) const = default;
};

/// The bytes of `text` that `span` covers.
inline std::string_view spelling(std::string_view text, Span span) {
    return text.substr(span.begin, span.end - span.begin);
}

/// One place: byte offset from 0; line from 1; column from 1, in characters.
/// Lines end as Python's text files end them: at LF, CR LF or a lone CR.
struct Position {
    std::size_t offset = 0;
    std::size_t line = 1;
    std::size_t column = 1;

    bool operator==(const Position&) const = default;
};

struct Range {
    Position begin;
    Position end;  ///< Just behind the last character.

    bool operator==(const Range&) const = default;
};

/// A list of offsets into a text, or of indices.
using Offsets = SmallVector<std::uint64_t, 16>;

/// The order of things by their offset in a text; those at the same offset stay as they are. Replaces the
/// offsets by the things' indices. False if they are in order already. (Sorting plain numbers with qsort
/// costs little compile time.)
inline bool order_by_offset(Offsets& offsets) {
    bool in_order = true;
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        offsets[i] = offsets[i] << 32 | i;
        in_order = in_order && (i == 0 || offsets[i - 1] < offsets[i]);
    }
    constexpr std::size_t few = 32;  // are moved to their places
    if (!in_order && offsets.size() > few)
        std::qsort(offsets.data(), offsets.size(), sizeof(std::uint64_t), [](const void* a, const void* b) {
            const std::uint64_t left = *static_cast<const std::uint64_t*>(a);
            const std::uint64_t right = *static_cast<const std::uint64_t*>(b);
            return left < right ? -1 : left > right ? 1 : 0;
        });
    else if (!in_order)
        for (std::size_t i = 1; i < offsets.size(); ++i)
            for (std::size_t j = i; j > 0 && offsets[j] < offsets[j - 1]; --j)
                std::swap(offsets[j], offsets[j - 1]);
    for (std::uint64_t& key : offsets) key &= 0xFFFFFFFF;
    return !in_order;
}

inline std::uint64_t eight_bytes(const char* p) {
    std::uint64_t block = 0;
    std::memcpy(&block, p, sizeof block);
    return block;
}

/// Moves `here` on to the offset `wanted`.
inline void advance(Position& here, std::string_view text, std::size_t wanted) {
    constexpr std::uint64_t each = 0x0101010101010101;
    const std::size_t end = std::min(wanted, text.size());
    while (here.offset < end) {
        if (end - here.offset >= 8 && std::endian::native == std::endian::little) {
            // characters that end no line, up to the first that is beyond ASCII or below 0x0E
            const std::uint64_t block = eight_bytes(text.data() + here.offset);
            const std::uint64_t others = (block | (block - each * 0x0E)) & each * 0x80;
            const std::size_t plain = static_cast<std::size_t>(std::countr_zero(others)) / 8;
            here.offset += plain;
            here.column += plain;
            if (plain == 8) continue;
        }
        const unsigned char byte = static_cast<unsigned char>(text[here.offset]);
        const bool carriage_return_of_pair =
            byte == '\r' && here.offset + 1 < text.size() && text[here.offset + 1] == '\n';
        if (byte == '\n' || (byte == '\r' && !carriage_return_of_pair)) {
            ++here.line;
            here.column = 1;
        } else if ((byte & 0xC0) != 0x80 && !carriage_return_of_pair) {  // not a UTF-8 continuation byte
            ++here.column;
        }
        ++here.offset;
    }
}

/// Where the offset is.
inline Position located(std::string_view text, std::size_t offset) {
    Position place;
    advance(place, text, offset);
    return place;
}

/// Fills in line and column of places whose offset is known, in one pass over the text however many there
/// are.
inline void locate(std::string_view text, Position* const* places, std::size_t count) {
    Offsets order;
    for (std::size_t i = 0; i < count; ++i) order.push_back(places[i]->offset);
    order_by_offset(order);
    Position here;
    for (const std::uint64_t index : order) {
        const std::size_t offset = places[index]->offset;
        advance(here, text, offset);
        *places[index] = {offset, here.line, here.column};
    }
}

/// Where each of the offsets is.
inline std::vector<Position> locate(std::string_view text, const std::vector<std::uint64_t>& offsets) {
    std::vector<Position> places(offsets.size());
    std::vector<Position*> pointers;
    for (std::size_t i = 0; i < offsets.size(); ++i) {
        places[i].offset = offsets[i];
        pointers.push_back(&places[i]);
    }
    locate(text, pointers.data(), pointers.size());
    return places;
}

}  // namespace dszero
