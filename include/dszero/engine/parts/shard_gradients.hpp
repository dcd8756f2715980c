// SPDX-License-Identifier: MIT
//
// The gradients of stages 2 and 3: each micro-step's are reduced as they come, a
// bucket at a time, and only this rank's part of the average outlives its bucket.
#pragma once

#include <dszero/engine/bucket.hpp>
#include <dszero/engine/parts/gradient_uses.hpp>
#include <dszero/engine/parts/setup.hpp>

#include <algorithm>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dszero {

template <Communicator C>
class ShardGradients {
public:
    template <class Partition>
    ShardGradients(Setup<C>& setup, const Partition& partition, const std::vector<Ownership>& places)
        : layout_(setup.layout),
          places_(places),
          window_(setup.window),
          all_reduce_(setup.reducer.all_reduce),
          uses_(setup.layout),
          sum_(setup.plan, setup.placement.elements_on_device(partition.segments()),
               setup.placement.gradients, Purpose::gradients, setup.accumulation, partition.shard),
          reducer_(setup.comm, setup.plan, setup.reducer, setup.model, plan_buckets(setup)) {}

    /// To be called before the gradients of a module are lent, which must lie in one bucket.
    void make_room(std::size_t module) {
        std::size_t room = 0;
        for (const std::size_t p : layout_.modules[module].parameters)
            if (!layout_.parameters[p].frozen && !uses_.shared(p) && !uses_.lent(p)) room += places_[p].room;
        if (!bucket().has_room(room)) send();
    }

    View lend(std::size_t p) {
        const bool first = uses_.lend(p);
        Bucket& lender = uses_.shared(p) ? *shared_ : bucket();
        return whole(first ? lender.lend(p, places_[p].room) : lender.view(*lender.find(p)), p);
    }

    void give_back(std::size_t p) {
        if (!uses_.give_back(p)) return;
        if (uses_.shared(p)) return send_shared(p);
        bucket().give_back(p);
        if (bucket().all_given_back() && bucket().filled() >= at_a_time_) send();
    }

    void finish_backward() {
        for (std::size_t p = 0; p < layout_.parameters.size(); ++p)
            if (uses_.half_used(p)) send_shared(p);
        uses_.end_micro_step();
        send();
        reducer_.finish();
        if (shared_) shared_->clear();
        if (!window_.last()) return;
        for (std::size_t p = 0; p < layout_.parameters.size(); ++p)
            if (!layout_.parameters[p].frozen && !uses_.arrived(p)) fill_zero(mine(p));
        uses_.end_window();
    }

    View part(const ShardSegment& segment) const { return sum_.part(segment.position, segment.elements); }

private:
    /// Returns the elements of the largest reduction.
    std::size_t plan_buckets(Setup<C>& setup) {
        const auto room = [&](std::size_t p) { return places_[p].room; };
        std::size_t total = 0, largest = 0;
        for (std::size_t p = 0; p < layout_.parameters.size(); ++p) {
            if (layout_.parameters[p].frozen) continue;
            if (!uses_.shared(p)) total += room(p);
            largest = std::max(largest, room(p));
        }
        // what is reduced at a time, but never less than a module, whose gradients are lent together
        at_a_time_ = reduced_at_a_time(setup.reduce_bucket_size, total, setup.reducer.overlap);
        const std::size_t elements = std::max(at_a_time_, largest_module(layout_, uses_.total(), room));
        for (int i = 0; i < (setup.reducer.overlap ? 2 : 1); ++i)
            buckets_.push_back(std::make_unique<Bucket>(setup.plan, setup.model, elements));
        if (const std::size_t shared = shared_elements(layout_, uses_.total(), room); shared != 0)
            shared_ = std::make_unique<Bucket>(setup.plan, setup.model, shared);
        return std::max(elements, largest);
    }

    /// A gradient without the padding that follows it.
    View whole(View slot, std::size_t p) const { return slot.part(0, layout_.parameters[p].elements); }
    View mine(std::size_t p) const { return sum_.part(places_[p].mine.position, places_[p].mine.padded); }

    /// The one whose turn it is.
    Bucket& bucket() { return *buckets_[turn_]; }

    /// Starts reducing the bucket; then it is the other one's turn.
    void send() {
        if (!bucket().all_given_back())
            throw std::logic_error("gradients of two modules are lent at a time: call reduce() in between");
        if (bucket().empty()) return;
        start(bucket(), bucket().slots());
        turn_ = (turn_ + 1) % buckets_.size();
        bucket().clear();  // what it held was finished before the reduction now under way began
    }
    void send_shared(std::size_t p) { start(*shared_, {*shared_->find(p)}); }

    void start(const Bucket& bucket, const std::vector<Bucket::Slot>& slots) {
        std::vector<Share> shares;
        std::vector<std::size_t> parameters;
        for (const Bucket::Slot& slot : slots)
            for (Share share : to_shares(places_[slot.parameter].owners, slot.begin)) {
                if (all_reduce_) leave_out_padding(share, slot);
                shares.push_back(share);
                parameters.push_back(slot.parameter);
            }
        reducer_.start(bucket.view(), std::move(shares),
                       [this, parameters = std::move(parameters)](std::size_t i, View sum) {
                           const std::size_t p = parameters[i];
                           const View place = mine(p).part(0, sum.elements);
                           uses_.arrive(p) ? copy(sum, place) : add(sum, place);
                       });
    }

    /// Pieces are padded to be equally long, which an all_reduce does not ask for.
    void leave_out_padding(Share& share, const Bucket::Slot& slot) const {
        const std::size_t end = slot.begin + layout_.parameters[slot.parameter].elements;
        share.begin = std::min(share.begin, end);
        share.elements = std::min(share.elements, end - share.begin);
    }

    const Layout& layout_;
    const std::vector<Ownership>& places_;
    const Window& window_;
    bool all_reduce_;
    std::size_t at_a_time_ = 0;
    GradientUses uses_;
    DividedArray sum_;
    std::vector<std::unique_ptr<Bucket>> buckets_;
    std::unique_ptr<Bucket> shared_;
    std::size_t turn_ = 0;
    Reducer<C> reducer_;
};

}  // namespace dszero
