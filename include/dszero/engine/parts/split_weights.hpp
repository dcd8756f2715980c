// SPDX-License-Identifier: MIT
//
// Stage 3's weights: every rank holds a piece of each parameter. A module's weights
// are gathered before use and released after it, with three exceptions. Small ones
// stay (they are persistent) until the next step changes them; those needed again
// soon stay (max_reuse_distance); and those that the recorded order says will come
// next are gathered ahead (prefetch_bucket_size, as far as max_live_parameters allows).
// Where a budget is too small for the last two, they are left out.
// Where the pieces are, weight_pieces.hpp knows; it is told early which will be needed.
#pragma once

#include <dszero/engine/parts/setup.hpp>
#include <dszero/engine/parts/use_order.hpp>
#include <dszero/engine/parts/weight_pieces.hpp>
#include <dszero/engine/storage/gather_pool.hpp>

#include <algorithm>
#include <cstddef>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace dszero {

template <Communicator C>
class SplitWeights {
public:
    SplitWeights(Setup<C>& setup, const PiecePartition& partition)
        : comm_(setup.comm),
          layout_(setup.layout),
          partition_(partition),
          limits_(setup.gather),
          type_(setup.model),
          persistent_(persistent_parameters(layout_, limits_.persistence_threshold,
                                            limits_.model_persistence_threshold)),
          pieces_(setup, partition),
          need_(setup.plan, least_gathered()),
          memory_(setup.memory),
          pool_(setup.memory),
          whole_(layout_.parameters.size()) {}

    /// To be called once memory is there.
    void init() {
        pieces_.init(layout_, comm_.rank());
        const Account& account = memory_[Tier::device];
        const std::size_t budget = account.budget_bytes().value_or(room_);
        // what is gathered is the same on every rank, so the smallest budget counts
        for (const std::size_t room : all_gather_values(comm_, budget - account.total().current_bytes))
            room_ = std::min(room_, room);
    }

    /// Brings a module's weights together. Collective, as are all that follow.
    void acquire(std::size_t module) {
        if (!order_.visit(module)) forget_plans();
        for (const std::size_t p : parameters(module)) {
            ++whole_[p].holders;
            if (!whole_[p].present) pieces_.bring_early(p);
        }
        make_room(parameters(module));
        for (const std::size_t p : parameters(module)) start(p);
        for (const std::size_t p : parameters(module)) finish(p);
        prefetch();
    }

    void release(std::size_t module) {
        for (const std::size_t p : parameters(module))
            if (--whole_[p].holders == 0 && !keep(p)) drop(p);
    }

    /// One parameter, outside a pass.
    void bring(std::size_t p) {
        ++whole_[p].holders;
        make_room({p});
        start(p);
        finish(p);
    }
    void let_go(std::size_t p) {
        if (--whole_[p].holders == 0 && !persistent_[p]) drop(p);
    }

    void end_pass() {
        order_.end_pass();
        forget_plans();
    }

    /// After a step: what persists is out of date.
    void refresh() {
        pieces_.end_writing();
        for (std::size_t p = 0; p < whole_.size(); ++p) {
            if (!whole_[p].present) continue;
            drop(p);
            start(p);
        }
        for (std::size_t p = 0; p < whole_.size(); ++p) finish(p);
    }

    View whole(std::size_t p) { return {whole_[p].block.data(), layout_.parameters[p].elements, type_}; }
    Operand part(const ShardSegment& segment) { return pieces_.part(segment.position, segment.elements); }
    const ErasedStore* backing_store() const { return pieces_.backing_store(); }
    const std::vector<bool>& persistent() const { return persistent_; }
    const UseOrder& order() const { return order_; }

private:
    using Started = decltype(std::declval<C&>().start_all_gather(std::span<const float>(), std::span<float>(),
                                                                 std::span<const Share>()));
    /// A parameter that is gathered, or about to be.
    struct Whole {
        GatherPool::Block block;
        std::optional<Started> work;
        bool present = false;     ///< gathered, or under way
        std::size_t holders = 0;  ///< uses that have not ended
        std::size_t wanted_at =
            0;  ///< the last use that it was gathered ahead for, counted from 1 in the order
    };

    /// This rank's piece in memory, until its gather is finished.
    View piece(std::size_t p) {
        for (std::size_t q = 0; q < whole_.size() && !pieces_.has_room(p); ++q) finish(q);
        return pieces_.bring(p);
    }
    /// Has read what will be gathered next, as far as there is room for it.
    void read_ahead() {
        for (std::size_t at = planned_; at < order_.length(); ++at)
            for (const std::size_t p : parameters(order_.at(at)))
                if (!whole_[p].present && !pieces_.bring_early(p)) return;
    }

    const std::vector<std::size_t>& parameters(std::size_t module) const {
        return layout_.modules[module].parameters;
    }

    std::size_t bytes_of(std::size_t p) const { return partition_.padded(p) * size_of(type_); }
    /// The largest module, beside what persists. In bytes.
    std::size_t least_gathered() const {
        std::size_t persists = 0, largest = 0;
        for (std::size_t p = 0; p < persistent_.size(); ++p) persists += persistent_[p] ? bytes_of(p) : 0;
        for (const Module& module : layout_.modules) {
            std::size_t bytes = 0;
            for (const std::size_t p : module.parameters) bytes += persistent_[p] ? 0 : bytes_of(p);
            largest = std::max(largest, bytes);
        }
        return persists + largest;
    }
    bool fits(std::size_t bytes) const { return bytes <= room_ - std::min(room_, pool_.in_use()); }
    /// For these: what is gathered or kept for later goes, if it has to.
    void make_room(const std::vector<std::size_t>& wanted) {
        std::size_t missing = 0;
        for (const std::size_t p : wanted) missing += whole_[p].present ? 0 : bytes_of(p);
        if (!fits(missing)) forget_plans();
    }

    void start(std::size_t p) {
        Whole& whole = whole_[p];
        if (whole.present) return;
        const std::size_t elements = partition_.padded(p);
        whole.block = pool_.take(elements * size_of(type_));
        whole.present = true;
        live_ += layout_.parameters[p].elements;
        with_scalar(type_, [&](auto t) {
            using T = typename decltype(t)::type;
            const std::span<T> out = View{whole.block.data(), elements, type_}.template as<T>();
            const std::span<T> mine = piece(p).template as<T>();
            whole.work.emplace(
                comm_.start_all_gather(std::span<const T>(mine), out, equal_shares(elements, comm_.size())));
        });
    }
    void finish(std::size_t p) {
        if (!whole_[p].work) return;
        whole_[p].work->wait();
        whole_[p].work.reset();
        pieces_.let_go(p);
    }
    void drop(std::size_t p) {
        finish(p);
        whole_[p].present = false;
        whole_[p].wanted_at = 0;
        live_ -= layout_.parameters[p].elements;
        pool_.give_back(std::exchange(whole_[p].block, {}));
    }

    /// Gathers ahead, where the last call stopped.
    void prefetch() {
        if (!order_.known()) return;
        if (planned_ < order_.position()) planned_ = order_.position(), planned_within_ = 0;
        const std::size_t room = limits_.live - std::min(limits_.live, live_);
        const std::size_t most = std::min(room, limits_.prefetch);
        for (std::size_t started = 0; started < most && planned_ < order_.length();
             ++planned_, planned_within_ = 0) {
            const std::vector<std::size_t>& next = parameters(order_.at(planned_));
            for (; planned_within_ < next.size() && started < most; ++planned_within_) {
                const std::size_t p = next[planned_within_];
                if (!whole_[p].present && !fits(bytes_of(p))) return read_ahead();
                whole_[p].wanted_at = planned_ + 1;
                if (whole_[p].present) continue;
                start(p);
                started += layout_.parameters[p].elements;
            }
            if (planned_within_ < next.size()) break;
        }
        read_ahead();
    }

    bool keep(std::size_t p) const {
        if (persistent_[p]) return true;
        if (!order_.known()) return false;
        if (whole_[p].wanted_at > order_.position()) return true;
        if (live_ > limits_.live) return false;
        std::size_t distance = 0;
        for (const std::size_t module : order_.upcoming()) {
            if (distance >= limits_.reuse_distance) break;
            for (const std::size_t q : parameters(module)) {
                if (q == p) return true;
                distance += layout_.parameters[q].elements;
            }
        }
        return false;
    }

    /// Lets go of what was kept or gathered for later.
    void forget_plans() {
        planned_ = 0;
        planned_within_ = 0;
        for (std::size_t p = 0; p < whole_.size(); ++p) {
            whole_[p].wanted_at = 0;
            if (whole_[p].present && whole_[p].holders == 0 && !persistent_[p]) drop(p);
        }
    }

    C& comm_;
    const Layout& layout_;
    const PiecePartition& partition_;
    GatherLimits limits_;
    ScalarType type_;
    std::vector<bool> persistent_;
    WeightPieces pieces_;
    GatherNeed need_;
    Memory& memory_;
    std::size_t room_ = std::numeric_limits<std::size_t>::max();  ///< for what is gathered, in bytes
    GatherPool pool_;
    UseOrder order_;
    std::size_t planned_ = 0;         ///< the place in the order that prefetching has come to
    std::size_t planned_within_ = 0;  ///< the parameter of that module
    std::size_t live_ = 0;            ///< elements gathered, or under way
    std::vector<Whole> whole_;        ///< last: its works are waited for before the memory goes
};

}  // namespace dszero
