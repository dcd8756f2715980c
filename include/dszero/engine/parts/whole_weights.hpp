// SPDX-License-Identifier: MIT
//
// The weights of stages 0 to 2: the whole model on every rank, as one flat vector a
// group. After a step each rank has renewed its slices, and gathers the others'.
#pragma once

#include <dszero/engine/parts/setup.hpp>

#include <cstddef>
#include <span>
#include <utility>
#include <vector>

namespace dszero {

template <Communicator C>
class WholeWeights {
public:
    WholeWeights(Setup<C>& setup, const FlatPartition& partition)
        : comm_(setup.comm),
          layout_(setup.layout),
          partition_(partition),
          row_(setup.plan, Tier::device, Purpose::weights, setup.model,
               partition.elements + partition.frozen) {}

    /// To be called once memory is there.
    void init() {
        for (std::size_t p = 0; p < layout_.parameters.size(); ++p)
            for_each_initial_block(layout_, p, 0, layout_.parameters[p].elements,
                                   [&](std::size_t i, std::span<const float> values) {
                                       store(values, whole(p).part(i, values.size()));
                                   });
    }

    // they are always there, in memory
    void acquire(std::size_t) {}
    void release(std::size_t) {}
    void bring(std::size_t) {}
    void let_go(std::size_t) {}
    void end_pass() {}
    const ErasedStore* backing_store() const { return nullptr; }

    View whole(std::size_t p) const { return part(partition_.positions[p], layout_.parameters[p].elements); }
    /// This rank's slice of a group's vector.
    View mine(std::size_t group) const {
        return part(partition_.slice_begin(group, static_cast<std::size_t>(comm_.rank())),
                    partition_.groups[group].slice);
    }

    /// From each rank its slices, to all. Collective.
    void all_gather() {
        using Started = decltype(comm_.start_all_gather(std::span<const float>(), std::span<float>(),
                                                        std::span<const Share>()));
        std::vector<Started> works;
        with_scalar(row_.view().type, [&](auto t) {
            using T = typename decltype(t)::type;
            for (std::size_t g = 0; g < partition_.groups.size(); ++g) {
                const FlatGroup& group = partition_.groups[g];
                works.push_back(comm_.start_all_gather(std::span<const T>(mine(g).template as<T>()),
                                                       part(group.start, group.padded).template as<T>(),
                                                       equal_shares(group.padded, comm_.size())));
            }
        });
        for (Started& work : works) work.wait();
    }

private:
    View part(std::size_t offset, std::size_t elements) const { return row_.part(offset, elements); }

    C& comm_;
    const Layout& layout_;
    const FlatPartition& partition_;
    Array row_;
};

}  // namespace dszero
