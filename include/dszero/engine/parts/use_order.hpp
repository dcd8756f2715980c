// SPDX-License-Identifier: MIT
//
// The order in which a pass (forward and backward of one micro-step) uses modules:
// recorded in the first pass, expected from the next on, so that stage 3 can gather
// ahead. A pass that goes another way is noticed, and recorded anew.
#pragma once

#include <algorithm>
#include <cstddef>
#include <span>
#include <vector>

namespace dszero {

class UseOrder {
public:
    /// A longer one is not recorded: rather than a pass, it is an evaluation, which has no end here.
    static constexpr std::size_t longest_pass = std::size_t{1} << 17;

    /// The pass comes to this module. False if another one was expected.
    bool visit(std::size_t module) {
        if (known_ && position_ < order_.size() && order_[position_] == module) {
            ++position_;
            return true;
        }
        const bool surprise = known_;
        known_ = false;
        order_.resize(std::min(position_, order_.size()));  // what was right so far
        if (position_ < longest_pass) order_.push_back(module);
        ++position_;
        return !surprise;
    }

    /// The pass is over: the next one should go the same way.
    void end_pass() {
        if (position_ == 0) return;
        known_ = position_ == order_.size();
        order_.resize(std::min(position_, order_.size()));
        position_ = 0;
    }

    bool known() const { return known_; }
    /// How many modules the pass has come to.
    std::size_t position() const { return position_; }
    /// What the pass will come to, as far as is known.
    std::span<const std::size_t> upcoming() const {
        return known_ ? std::span(order_).subspan(position_) : std::span<const std::size_t>();
    }
    std::size_t at(std::size_t position) const { return order_[position]; }
    std::size_t length() const { return order_.size(); }

private:
    std::vector<std::size_t> order_;
    std::size_t position_ = 0;
    bool known_ = false;
};

}  // namespace dszero
