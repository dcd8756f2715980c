// SPDX-License-Identifier: MIT
//
// The gradients of stages 0 and 1: every rank adds up its own gradients of the whole
// model, and the sums are reduced once a step, in place, as backward produces the last.
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
class WholeGradients {
public:
    WholeGradients(Setup<C>& setup, const FlatPartition& partition, const std::vector<Ownership>& places)
        : layout_(setup.layout),
          partition_(partition),
          places_(places),
          rank_(setup.rank()),
          window_(setup.window),
          uses_(setup.layout),
          direct_(setup.accumulation == setup.model),
          sum_(setup.plan, Tier::device, Purpose::gradients, setup.accumulation, partition.elements),
          at_a_time_(reduced_at_a_time(setup.reduce_bucket_size, trainable_elements(layout_),
                                       setup.reducer.overlap)),
          reducer_(setup.comm, setup.plan, setup.reducer, setup.accumulation,
                   std::max(at_a_time_, largest_parameter())) {
        if (direct_ && window_.steps == 1) return;
        const auto room = [&](std::size_t p) { return layout_.parameters[p].elements; };
        lending_ =
            std::make_unique<Bucket>(setup.plan, setup.model, largest_module(layout_, uses_.total(), room));
        if (const std::size_t shared = shared_elements(layout_, uses_.total(), room); shared != 0)
            shared_ = std::make_unique<Bucket>(setup.plan, setup.model, shared);
    }

    /// Every rank is to get the average of everything.
    void all_reduce() { reducer_.all_reduce(); }

    void make_room(std::size_t) {}

    /// The sum itself for a window's first gradient, if its type is the model's; else memory to be added to
    /// it.
    View lend(std::size_t p) {
        const bool first = uses_.lend(p);
        if (lends_sum(p)) {
            if (first) fill_zero(part(p));
            return part(p);
        }
        Bucket& bucket = lender(p);
        if (!first) return bucket.view(*bucket.find(p));
        const std::size_t n = layout_.parameters[p].elements;
        if (!bucket.has_room(n))
            throw std::logic_error("gradients of two modules are lent at a time: call reduce() in between");
        return bucket.lend(p, n);
    }

    void give_back(std::size_t p) {
        if (uses_.give_back(p)) add_up(p);
    }

    void finish_backward() {
        for (std::size_t p = 0; p < layout_.parameters.size(); ++p)
            if (uses_.half_used(p)) add_up(p);
        uses_.end_micro_step();
        if (shared_) shared_->clear();
        if (!window_.last()) return;
        for (std::size_t p = 0; p < layout_.parameters.size(); ++p) {
            if (layout_.parameters[p].frozen || reduced_[p]) continue;
            if (uses_.arrived(p))
                reduce(p);  // not in this micro-step, but before
            else
                fill_zero(part(p));
        }
        flush();
        reducer_.finish();
        reduced_.assign(reduced_.size(), false);
        uses_.end_window();
    }

    /// This rank's slice of a group's vector.
    View mine(std::size_t group) const {
        return sum_.part(partition_.slice_begin(group, rank_), partition_.groups[group].slice);
    }

private:
    View part(std::size_t p) const {
        return sum_.part(partition_.positions[p], layout_.parameters[p].elements);
    }
    bool lends_sum(std::size_t p) const { return direct_ && !uses_.arrived(p); }
    Bucket& lender(std::size_t p) { return uses_.shared(p) ? *shared_ : *lending_; }
    std::size_t largest_parameter() const {
        std::size_t largest = 0;
        for (const Parameter& parameter : layout_.parameters)
            if (!parameter.frozen) largest = std::max(largest, parameter.elements);
        return largest;
    }

    void add_up(std::size_t p) {
        if (!lends_sum(p)) {
            Bucket& bucket = lender(p);
            const View lent = bucket.view(*bucket.find(p));
            uses_.arrived(p) ? add(lent, part(p)) : copy(lent, part(p));
            bucket.give_back(p);
            if (!uses_.shared(p) && bucket.all_given_back()) bucket.clear();
        }
        uses_.arrive(p);
        if (window_.last()) reduce(p);
    }

    void reduce(std::size_t p) {
        const std::size_t n = layout_.parameters[p].elements;
        if (pending_elements_ + n > at_a_time_) flush();
        pending_.push_back(p);
        pending_elements_ += n;
        reduced_[p] = true;
        if (pending_elements_ >= at_a_time_) flush();
    }

    /// Reduces what is pending, neighbours as one stretch.
    void flush() {
        if (pending_.empty()) return;
        const auto position = [&](std::size_t p) { return partition_.positions[p]; };
        std::sort(pending_.begin(), pending_.end(),
                  [&](std::size_t a, std::size_t b) { return position(a) < position(b); });
        std::vector<Share> shares;
        for (const std::size_t p : pending_)
            for (const Share& share : to_shares(places_[p].owners, position(p))) shares.push_back(share);
        pending_.clear();
        pending_elements_ = 0;
        std::vector<std::size_t> places;
        for (const Share& share : shares) places.push_back(share.begin);
        reducer_.start(sum_.view(), std::move(shares),
                       [this, places = std::move(places)](std::size_t i, View sum) {
                           const View place = sum_.part(places[i], sum.elements);
                           if (place.data != sum.data) copy(sum, place);  // else it was reduced in place
                       });
    }

    const Layout& layout_;
    const FlatPartition& partition_;
    const std::vector<Ownership>& places_;
    std::size_t rank_;
    const Window& window_;
    GradientUses uses_;
    bool direct_;
    Array sum_;
    std::unique_ptr<Bucket> lending_, shared_;
    std::size_t at_a_time_;
    std::vector<std::size_t> pending_;
    std::size_t pending_elements_ = 0;
    std::vector<bool> reduced_ = std::vector<bool>(layout_.parameters.size());
    Reducer<C> reducer_;
};

}  // namespace dszero
