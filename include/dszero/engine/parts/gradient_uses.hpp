// SPDX-License-Identifier: MIT
//
// Which gradients were lent to backward in this micro-step, which came back, and for
// which there is a sum from earlier ones. Modules lend and give back; a shared parameter
// comes back after the last of those that use it.
#pragma once

#include <dszero/layout/parameters.hpp>

#include <algorithm>
#include <cstddef>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

namespace dszero {

/// Holds a micro-step's calls to gradient() and reduce(): one of each, in this order, for a module with
/// something to train; or none.
class LentModules {
public:
    explicit LentModules(const Layout& layout) : layout_(layout), states_(layout.modules.size()) {}

    /// May be repeated until the gradients are given back.
    void lend(std::size_t m) {
        if (states_[m] == State::given_back)
            throw std::logic_error("gradient: those of module " + name(m) + " were given back before");
        states_[m] = State::lent;
    }
    void give_back(std::size_t m) {
        if (states_[m] == State::given_back)
            throw std::logic_error("reduce: the gradients of module " + name(m) + " were given back before");
        if (std::exchange(states_[m], State::given_back) != State::lent && has_gradients(m))
            throw std::logic_error("reduce: no gradients of module " + name(m) +
                                   " were lent; call gradient() first");
    }
    void end_micro_step() {
        for (std::size_t m = 0; m < states_.size(); ++m)
            if (states_[m] == State::lent && has_gradients(m))
                throw std::logic_error("the gradients of module " + name(m) +
                                       " were lent, but never given back with reduce()");
        states_.assign(states_.size(), State::untouched);
    }

private:
    enum class State : unsigned char { untouched, lent, given_back };

    bool has_gradients(std::size_t m) const {
        return !std::ranges::all_of(layout_.modules[m].parameters,
                                    [&](std::size_t p) { return layout_.parameters[p].frozen; });
    }
    const std::string& name(std::size_t m) const { return layout_.modules[m].name; }

    const Layout& layout_;
    std::vector<State> states_;
};

/// The same by parameter.
class GradientUses {
public:
    explicit GradientUses(const Layout& layout)
        : total_(count_uses(layout)), left_(total_), lent_(total_.size()), arrived_(total_.size()) {}

    bool shared(std::size_t p) const { return total_[p] > 1; }
    const std::vector<std::size_t>& total() const { return total_; }

    /// True at the first call in a micro-step.
    bool lend(std::size_t p) { return set(lent_, p); }
    bool lent(std::size_t p) const { return lent_[p]; }
    /// True at the call that ends the parameter's last use in a micro-step.
    bool give_back(std::size_t p) { return --left_[p] == 0; }
    /// Whether some, but not all modules that share the parameter were differentiated.
    bool half_used(std::size_t p) const { return left_[p] != 0 && left_[p] != total_[p]; }
    /// True at the first call in a window: its gradient is to be set, later ones are to be added.
    bool arrive(std::size_t p) { return set(arrived_, p); }
    bool arrived(std::size_t p) const { return arrived_[p]; }

    void end_micro_step() {
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

    std::vector<std::size_t> total_, left_;
    std::vector<bool> lent_, arrived_;
};

}  // namespace dszero
