// SPDX-License-Identifier: MIT
//
// From the gradients of one rank to the average over all: a Bucket lends memory to
// backward, a Reducer divides what came back, sends it, and delivers each rank its
// part of the sum. With overlap one reduction is under way while backward goes on.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/storage/array.hpp>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <stdexcept>
#include <utility>
#include <vector>

namespace dszero {

/// Memory for several parameters' gradients, lent one by one and given back in any order.
class Bucket {
public:
    struct Slot {
        std::size_t parameter = 0;
        std::size_t begin = 0;  ///< in the bucket
        std::size_t elements = 0;
        bool given_back = false;
    };

    Bucket(Plan& plan, ScalarType type, std::size_t elements)
        : memory_(plan, Tier::device, Purpose::buckets, type, elements) {}

    bool has_room(std::size_t elements) const { return elements <= memory_.elements() - fill_; }
    bool empty() const { return slots_.empty(); }
    std::size_t filled() const { return fill_; }
    bool all_given_back() const { return lent_ == 0; }
    const std::vector<Slot>& slots() const { return slots_; }

    const Slot* find(std::size_t parameter) const {
        for (const Slot& slot : slots_)
            if (slot.parameter == parameter) return &slot;
        return nullptr;
    }

    /// Zeroed, so that backward may write or add.
    View lend(std::size_t parameter, std::size_t elements) {
        slots_.push_back({parameter, fill_, elements, false});
        fill_ += elements;
        ++lent_;
        const View view = memory_.part(slots_.back().begin, elements);
        fill_zero(view);
        return view;
    }
    void give_back(std::size_t parameter) {
        for (Slot& slot : slots_) {
            if (slot.parameter != parameter || slot.given_back) continue;
            slot.given_back = true;
            --lent_;
        }
    }
    View view(const Slot& slot) const { return memory_.part(slot.begin, slot.elements); }
    View view() const { return memory_.view(); }

    void clear() {
        slots_.clear();
        fill_ = 0;
        lent_ = 0;
    }

private:
    Array memory_;
    std::vector<Slot> slots_;
    std::size_t fill_ = 0;
    std::size_t lent_ = 0;
};

/// What makes a sum of gradients their average. Dividing first keeps 16-bit sums in range.
struct Averaging {
    float divide_before = 1;
    float multiply_after = 1;
};

struct ReducerOptions {
    ScalarType communication = ScalarType::fp32;
    Averaging averaging;
    bool all_reduce = false;  ///< every rank gets every sum, and leaves the others' unused
    bool overlap =
        false;  ///< one may be under way while backward goes on; otherwise each is finished at once
};

template <Communicator C>
class Reducer {
public:
    /// Takes the sum of the index-th share; what it was divided by has been made up for.
    using Deliver = std::function<void(std::size_t index, View sum)>;

    /// `largest`: elements of the largest reduction; memory is needed only if messages have another type than
    /// `gradients`.
    Reducer(C& comm, Plan& plan, const ReducerOptions& options, ScalarType gradients, std::size_t largest)
        : comm_(comm), options_(options) {
        if (options.communication != gradients)
            staging_ =
                std::make_unique<Array>(plan, Tier::device, Purpose::buckets, options.communication, largest);
    }

    /// From now on every rank gets every sum.
    void all_reduce() { options_.all_reduce = true; }

    /// Reduces shares of `buffer`, which must stay untouched until they are delivered. Collective.
    void start(View buffer, std::vector<Share> shares, Deliver deliver) {
        finish();
        message_ = staging_ ? staging_->view() : buffer;
        std::size_t packed = 0;
        for (Share& share : shares) {
            const View part = buffer.part(share.begin, share.elements);
            if (staging_) share.begin = packed;
            divide(part, message_.part(share.begin, share.elements), options_.averaging.divide_before);
            packed += share.elements;
        }
        shares_ = std::move(shares);
        deliver_ = std::move(deliver);
        send();
        if (!options_.overlap) finish();
    }

    /// Returns once nothing is under way.
    void finish() {
        for (Started& work : works_) work.wait();
        works_.clear();
        for (std::size_t i = 0; i < shares_.size(); ++i) {
            if (shares_[i].rank != comm_.rank()) continue;
            const View sum = message_.part(shares_[i].begin, shares_[i].elements);
            multiply(sum, options_.averaging.multiply_after);
            deliver_(i, sum);
        }
        shares_.clear();
    }

private:
    using Started = decltype(std::declval<C&>().start_reduce_scatter(
        std::span<const float>(), std::span<float>(), std::span<const Share>()));
    void send() {
        with_scalar(message_.type, [&](auto t) {
            using T = typename decltype(t)::type;
            const std::span<T> message = message_.template as<T>();
            if (options_.all_reduce) return send_to_all(message);
            // a sum may land where it was read only if its rank has one share: as many works as that takes
            std::vector<Share> part;
            const auto send_part = [&] {
                if (part.empty()) return;
                const std::size_t begin = part.front().begin;
                const std::span<T> run =
                    message.subspan(begin, part.back().begin + part.back().elements - begin);
                std::span<T> mine;
                for (Share& share : part) {
                    share.begin -= begin;
                    if (share.rank == comm_.rank()) mine = run.subspan(share.begin, share.elements);
                }
                works_.push_back(comm_.start_reduce_scatter(std::span<const T>(run), mine, part));
                part.clear();
            };
            for (const Share& share : shares_) {
                const auto has_one = [&](const Share& other) { return other.rank == share.rank; };
                if (!part.empty() && part.back().rank == share.rank &&
                    part.back().begin + part.back().elements == share.begin) {
                    part.back().elements += share.elements;
                    continue;
                }
                if (std::any_of(part.begin(), part.end(), has_one)) send_part();
                part.push_back(share);
            }
            send_part();
        });
    }

    template <Scalar T>
    void send_to_all(std::span<T> message) {
        for (std::size_t i = 0; i < shares_.size();) {
            const std::size_t begin = shares_[i].begin;
            std::size_t end = begin;
            for (; i < shares_.size() && shares_[i].begin == end; ++i) end += shares_[i].elements;
            const std::span<T> run = message.subspan(begin, end - begin);
            if constexpr (requires { comm_.start_all_reduce(run); })
                works_.push_back(comm_.start_all_reduce(run));
            else
                all_reduce(comm_, run);
        }
    }

    C& comm_;
    ReducerOptions options_;
    std::unique_ptr<Array> staging_;
    View message_;               ///< of the reduction that is under way, as are the shares
    std::vector<Share> shares_;  ///< none: nothing is under way
    Deliver deliver_;
    std::vector<Started> works_;
};

}  // namespace dszero
