// SPDX-License-Identifier: MIT
//
// Which gradients were lent to backward in this micro-step, which came back, and for
// which there is a sum from earlier ones. A shared parameter comes back after the last
// of the modules that use it.
#pragma once

#include <dszero/layout/parameters.hpp>

#include <cstddef>
#include <stdexcept>
#include <string>
#include <vector>

namespace dszero {

class GradientUses {
public:
    explicit GradientUses(const Layout& layout)
        : layout_(layout),
          total_(count_uses(layout)),
          left_(total_),
          lent_(total_.size()),
          arrived_(total_.size()) {}

    bool shared(std::size_t p) const { return total_[p] > 1; }
    const std::vector<std::size_t>& total() const { return total_; }

    /// True at the first call in a micro-step.
    bool lend(std::size_t p) {
        if (left_[p] == 0)
            throw std::logic_error("gradient: that of " + name(p) +
                                   " was given back before, as often as modules use it");
        return set(lent_, p);
    }
    bool lent(std::size_t p) const { return lent_[p]; }
    /// True at the call that ends the parameter's last use in a micro-step.
    bool give_back(std::size_t p) {
        if (!lent_[p])
            throw std::logic_error("reduce: no gradient of " + name(p) + " was lent; call gradient() first");
        if (left_[p] == 0)
            throw std::logic_error("reduce: the gradient of " + name(p) + " was given back before");
        return --left_[p] == 0;
    }
    /// Whether some, but not all modules that share the parameter were differentiated.
    bool half_used(std::size_t p) const { return left_[p] != 0 && left_[p] != total_[p]; }
    /// True at the first call in a window: its gradient is to be set, later ones are to be added.
    bool arrive(std::size_t p) { return set(arrived_, p); }
    bool arrived(std::size_t p) const { return arrived_[p]; }

    void end_micro_step() {
        for (std::size_t p = 0; p < lent_.size(); ++p)
            if (lent_[p] && left_[p] == total_[p])
                throw std::logic_error("the gradient of " + name(p) +
                                       " was lent, but never given back with reduce()");
        left_ = total_;
        lent_.assign(lent_.size(), false);
    }
    void end_window() { arrived_.assign(arrived_.size(), false); }

private:
    static bool set(std::vector<bool>& flags, std::size_t p) {
        const bool first = !flags[p];
        flags[p] = true;
        return first;
    }
    const std::string& name(std::size_t p) const { return layout_.parameters[p].name; }

    const Layout& layout_;
    std::vector<std::size_t> total_, left_;
    std::vector<bool> lent_, arrived_;
};

}  // namespace dszero
