// SPDX-License-Identifier: MIT
//
// Which slice belongs to whom. Arithmetic only, element for element DeepSpeed's.
//
// FlatPartition, stages 1 and 2: each optimizer group is one flat vector, padded
// at its end to a multiple of 2N and cut into N equal slices. A parameter may
// straddle slices.
// PiecePartition, stage 3: each parameter is cut into N pieces of ⌈n/N⌉, the last
// ones padded; sub-groups are runs of parameters that the optimizer steps at once.
// Stage 0 is a FlatPartition over one rank with nothing to align.
#pragma once

#include <dszero/layout/parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <vector>

namespace dszero {

constexpr std::size_t divide_up(std::size_t n, std::size_t by) { return n / by + (n % by != 0); }
constexpr std::size_t round_up(std::size_t n, std::size_t to) { return divide_up(n, to) * to; }

/// A stretch of one parameter, and where it lies in a rank's shard. In elements.
struct Cover {
    std::size_t parameter = 0;
    std::size_t offset = 0;    ///< the first element, counted in the parameter
    std::size_t elements = 0;  ///< those that are the parameter's: none in a piece that is all padding
    std::size_t position = 0;  ///< the first element's place in the shard
    std::size_t padded = 0;    ///< what it takes up there

    bool operator==(const Cover&) const = default;
};

/// A stretch of elements that one rank owns.
struct OwnedRange {
    std::size_t rank = 0;
    std::size_t offset = 0;
    std::size_t elements = 0;

    bool operator==(const OwnedRange&) const = default;
};

/// Elements of a shard that are stepped together, with one group's settings.
struct ShardSegment {
    std::size_t group = 0;
    std::size_t position = 0;  ///< in the shard
    std::size_t elements = 0;

    bool operator==(const ShardSegment&) const = default;
};

// ---------------------------------------------------------------------- both

/// A parameter in a bucket or a gather: how much room it takes, who owns which part of that, and what of it
/// is this rank's. Ranges and covers count from the parameter's start.
struct Ownership {
    std::size_t room = 0;
    std::vector<OwnedRange> owners;
    Cover mine;  ///< at most one stretch; `padded` elements in the shard
};

/// How many gradients are reduced at a time, for `requested` (reduce_bucket_size) of `total`: never more than
/// there are and, to overlap with backward, an eighth of them, or most would wait until it is over.
constexpr std::size_t reduced_at_a_time(std::size_t requested, std::size_t total, bool overlap) {
    return std::min(requested, overlap ? divide_up(total, 8) : total);
}

// ------------------------------------------------------------- stages 1 and 2

struct FlatOptions {
    std::size_t ranks = 1;
    std::size_t start_alignment = 2;  ///< slices start at multiples of it (4 bytes of 16-bit data, for NCCL)
    std::size_t parameter_alignment = 1;  ///< parameters start at multiples of it; 16 bytes' worth with
                                          ///< parameter_alignment
    bool round_robin = false;             ///< deals parameters out, so that neighbours have different owners
};

/// One optimizer group as a flat vector.
struct FlatGroup {
    std::vector<std::size_t> order;      ///< its parameters as they lie there
    std::vector<std::size_t> positions;  ///< where each of them starts
    std::size_t elements = 0;            ///< without the tail
    std::size_t padded = 0;              ///< with it
    std::size_t slice = 0;               ///< one rank's share: padded / ranks
    std::size_t start = 0;               ///< of this vector, where all groups' vectors stand in a row

    /// How many elements of a rank's slice are tail.
    std::size_t padding(std::size_t rank) const {
        const std::size_t end = (rank + 1) * slice;
        return end <= elements ? 0 : std::min(slice, end - elements);
    }
};

/// The order of a group's parameters under round_robin_gradients: a stable sort by index mod ranks.
inline std::vector<std::size_t> deal_out(const std::vector<std::size_t>& parameters, std::size_t ranks) {
    std::vector<std::size_t> order;
    order.reserve(parameters.size());
    for (std::size_t first = 0; first < std::min(ranks, parameters.size()); ++first)
        for (std::size_t i = first; i < parameters.size(); i += ranks) order.push_back(parameters[i]);
    return order;
}

struct FlatPartition {
    std::size_t ranks = 1;
    std::vector<FlatGroup> groups;
    std::vector<std::size_t>
        positions;             ///< by parameter, in the row of all groups' vectors; frozen ones follow them
    std::size_t elements = 0;  ///< of that row, padding included, without frozen ones
    std::size_t shard = 0;     ///< one rank's elements
    std::size_t frozen = 0;    ///< elements of frozen parameters, which every rank holds

    FlatPartition() = default;
    FlatPartition(const Layout& layout, const FlatOptions& options)
        : ranks(options.ranks), positions(layout.parameters.size()) {
        for (const ParameterGroup& given : optimizer_groups(layout)) {
            FlatGroup group;
            group.order = options.round_robin ? deal_out(given.parameters, ranks) : given.parameters;
            group.start = elements;
            for (const std::size_t p : group.order) {
                group.elements = round_up(group.elements, options.parameter_alignment);
                positions[p] = group.start + group.elements;
                group.positions.push_back(group.elements);
                group.elements += layout.parameters[p].elements;
            }
            group.padded = round_up(group.elements, ranks * options.start_alignment);
            group.slice = group.padded / ranks;
            elements += group.padded;
            shard += group.slice;
            groups.push_back(std::move(group));
        }
        for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
            if (!layout.parameters[p].frozen) continue;
            positions[p] = elements + frozen;
            frozen += layout.parameters[p].elements;
        }
    }

    /// Where a rank's slice of a group's vector begins in the row. What is not split is every rank's slice.
    std::size_t slice_begin(std::size_t group, std::size_t rank) const {
        return groups[group].start + rank % ranks * groups[group].slice;
    }

    /// What of a group's parameters lies in a rank's slice; positions count from the slice's start.
    std::vector<Cover> covers(const Layout& layout, std::size_t group, std::size_t rank) const {
        const FlatGroup& g = groups[group];
        const std::size_t begin = rank * g.slice, end = begin + g.slice;
        std::vector<Cover> list;
        for (std::size_t i = 0; i < g.order.size(); ++i) {
            const std::size_t start = g.positions[i], stop = start + layout.parameters[g.order[i]].elements;
            const std::size_t from = std::max(begin, start), to = std::min(end, stop);
            if (from < to) list.push_back({g.order[i], from - start, to - from, from - begin, to - from});
        }
        return list;
    }

    /// The owners of a stretch of the row of vectors, in order.
    std::vector<OwnedRange> owners(std::size_t offset, std::size_t count) const {
        std::vector<OwnedRange> list;
        for (const FlatGroup& g : groups) {
            const std::size_t stop = std::min(offset + count, g.start + g.padded);
            for (std::size_t from = std::max(offset, g.start); from < stop;) {
                const std::size_t rank = (from - g.start) / g.slice;
                const std::size_t to = std::min(stop, g.start + (rank + 1) * g.slice);
                list.push_back({rank, from, to - from});
                from = to;
            }
        }
        return list;
    }

    Ownership place(const Layout& layout, std::size_t parameter, std::size_t rank) const;

    /// Where the shard's parts start: one segment a group.
    std::vector<ShardSegment> segments() const {
        std::vector<ShardSegment> list;
        std::size_t position = 0;
        for (std::size_t g = 0; g < groups.size(); ++g) {
            list.push_back({g, position, groups[g].slice});
            position += groups[g].slice;
        }
        return list;
    }
};

inline Ownership FlatPartition::place(const Layout& layout, std::size_t parameter, std::size_t rank) const {
    const std::size_t start = positions[parameter], n = layout.parameters[parameter].elements;
    Ownership result{n, owners(start, n), {parameter, 0, 0, 0, 0}};
    std::size_t slice_position = 0;  // of the group's slice in the shard
    for (const FlatGroup& g : groups) {
        const bool here = start >= g.start && start < g.start + g.padded;
        for (OwnedRange& range : result.owners) {
            if (!here || range.rank != rank) continue;
            const std::size_t in_slice = range.offset - g.start - rank * g.slice;
            result.mine = {parameter, range.offset - start, range.elements, slice_position + in_slice,
                           range.elements};
        }
        slice_position += g.slice;
    }
    for (OwnedRange& range : result.owners) range.offset -= start;
    return result;
}

// -------------------------------------------------------------------- stage 3

struct SubGroup {
    std::size_t group = 0;
    std::vector<std::size_t> parameters;
    std::size_t position = 0;  ///< in the shard
    std::size_t elements = 0;  ///< one rank's pieces, padding included
};

struct PiecePartition {
    std::size_t ranks = 1;
    std::vector<std::size_t> pieces;  ///< by parameter: ⌈n/N⌉ elements
    std::vector<std::size_t>
        positions;  ///< by parameter: the piece's place in the shard; frozen ones come last
    std::vector<SubGroup> sub_groups;
    std::size_t shard = 0;   ///< one rank's elements, without frozen ones
    std::size_t frozen = 0;  ///< one rank's elements of frozen parameters

    PiecePartition() = default;
    PiecePartition(const Layout& layout, std::size_t over_ranks, std::size_t sub_group_size)
        : ranks(over_ranks), positions(layout.parameters.size()) {
        for (const Parameter& parameter : layout.parameters)
            pieces.push_back(divide_up(parameter.elements, ranks));
        const std::vector<ParameterGroup> groups = optimizer_groups(layout);
        for (std::size_t g = 0; g < groups.size(); ++g) {
            std::size_t whole = 0;
            for (const std::size_t p : groups[g].parameters) whole += pieces[p];
            SubGroup open{g, {}, shard, 0};
            const auto close = [&] {
                if (open.parameters.empty()) return;
                sub_groups.push_back(std::move(open));
                open = {g, {}, shard, 0};
            };
            for (const std::size_t p : groups[g].parameters) {
                positions[p] = shard;
                open.parameters.push_back(p);
                open.elements += pieces[p];
                shard += pieces[p];
                if (sub_group_size < whole && open.elements >= sub_group_size) close();
            }
            close();
        }
        for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
            if (!layout.parameters[p].frozen) continue;
            positions[p] = shard + frozen;
            frozen += pieces[p];
        }
    }

    /// A rank's piece of a parameter; its position counts from the shard's start.
    Cover cover(const Layout& layout, std::size_t parameter, std::size_t rank) const {
        const std::size_t n = layout.parameters[parameter].elements, piece = pieces[parameter];
        const std::size_t begin = rank * piece;
        return {parameter, begin, begin < n ? std::min(piece, n - begin) : 0, positions[parameter], piece};
    }

    Ownership place(const Layout& layout, std::size_t parameter, std::size_t rank) const {
        Ownership result{padded(parameter), {}, cover(layout, parameter, rank)};
        for (std::size_t r = 0; r < ranks; ++r)
            result.owners.push_back({r, r * pieces[parameter], pieces[parameter]});
        return result;
    }

    /// A parameter and its padding: what a gather brings together.
    std::size_t padded(std::size_t parameter) const { return pieces[parameter] * ranks; }

    std::vector<ShardSegment> segments() const {
        std::vector<ShardSegment> list;
        for (const SubGroup& s : sub_groups) list.push_back({s.group, s.position, s.elements});
        return list;
    }
};

/// By parameter: whether stage 3 keeps it whole between steps. Small ones are, in registration order, until
/// `model_threshold` elements are kept in all.
inline std::vector<bool> persistent_parameters(const Layout& layout, std::size_t threshold,
                                               std::size_t model_threshold) {
    std::vector<bool> persistent(layout.parameters.size());
    std::size_t kept = 0;
    for (std::size_t p = 0; p < layout.parameters.size(); ++p) {
        const std::size_t n = layout.parameters[p].elements;
        if (n > model_threshold - kept || n > threshold) continue;
        persistent[p] = true;
        kept += n;
    }
    return persistent;
}

}  // namespace dszero
