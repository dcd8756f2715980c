// SPDX-License-Identifier: MIT
//
// The norm of all gradients together: the root of an exact sum of squares, so that it
// has the same bits whoever holds what. It is the one moment in a step at which all
// ranks exchange facts, so here they also make sure that they made the same calls.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/numeric/exact_sum.hpp>
#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/parts/stage.hpp>
#include <dszero/engine/threads/thread_pool.hpp>

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dszero {

/// Of the averages that the stage will step with, as they are: scaled by the loss scale. Infinite if one of
/// them is not finite. `calls`: a digest of what this rank did, which must be every rank's. Collective.
template <Communicator C>
double global_norm(C& comm, Stage& stage, ThreadPool& pool, std::uint64_t calls) {
    struct Vote {
        ExactSum squares;
        std::uint64_t calls;
    };
    Vote mine{{}, calls};
    for (std::size_t s = 0; s < stage.segments().size(); ++s) {
        View gradients = stage.my_gradients(s);
        if (stage.replicated()) {  // everyone has all of them: each adds up a part
            const std::vector<Share> parts = equal_shares(gradients.elements, comm.size());
            const Share& part = parts[static_cast<std::size_t>(comm.rank())];
            gradients = gradients.part(part.begin, part.elements);
        }
        with_scalar(gradients.type, [&](auto t) {
            using T = typename decltype(t)::type;
            mine.squares.merge(sum_of_squares(pool, std::span<const T>(gradients.as<T>())));
        });
    }
    const std::vector<Vote> votes = all_gather_values(comm, mine);
    ExactSum all = votes.front().squares;
    for (std::size_t rank = 1; rank < votes.size(); ++rank) {
        if (votes[rank].calls != votes.front().calls)
            throw std::logic_error("rank " + std::to_string(rank) +
                                   " and rank 0 did not call gather(), gradient() "
                                   "and reduce() for the same modules in the same order");
        all.merge(votes[rank].squares);
    }
    return std::sqrt(all.value());
}

}  // namespace dszero
