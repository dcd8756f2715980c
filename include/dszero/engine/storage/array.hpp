// SPDX-License-Identifier: MIT
//
// The arrays that an engine holds. They are first planned, then allocated together,
// so that a budget's breach is an error on every rank before the first byte is taken.
// What is kept in stores is planned with them.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/memory.hpp>
#include <dszero/engine/numeric/view.hpp>

#include <algorithm>
#include <array>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dszero {

/// Bytes that something will take up.
struct Need {
    Tier tier;
    Purpose purpose;
    std::size_t bytes;
};

/// What is planned first and allocated later. Its address must not change in between.
class Planned {
public:
    virtual ~Planned() = default;
    virtual std::vector<Need> needs() const = 0;
    /// What turns out otherwise than it should, without harm to results, goes into `notes`.
    virtual void allocate(Memory& memory, std::vector<std::string>& notes) = 0;
};

/// What is to be allocated, together or not at all.
class Plan {
public:
    void add(Planned& planned) { planned_.push_back(&planned); }

    /// Allocates it. Throws BudgetError on the rank that lacks the budget, and an error that says so on
    /// every other; nothing is allocated then.
    template <Communicator C>
    void commit(Memory& memory, C& comm, std::vector<std::string>& notes);

private:
    std::vector<Planned*> planned_;
};

/// Memory of its own, zero at first. Exists from Plan::commit() on.
class Array final : public Planned {
public:
    Array(Plan& plan, Home home, Purpose purpose, ScalarType type, std::size_t elements)
        : home_(home), purpose_(purpose), view_{nullptr, elements, type} {
        plan.add(*this);
    }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    std::vector<Need> needs() const override { return {{home_.tier, purpose_, bytes()}}; }
    void allocate(Memory& memory, std::vector<std::string>&) override {
        buffer_ = Buffer<std::byte>(memory[home_.tier], purpose_, view_.bytes(), home_.locked);
        view_.data = buffer_.data();
    }

    View view() const { return view_; }
    View part(std::size_t offset, std::size_t count) const { return view_.part(offset, count); }
    std::size_t elements() const { return view_.elements; }
    std::size_t bytes() const { return view_.bytes(); }

private:
    Home home_;
    Purpose purpose_ = Purpose::staging;
    View view_;
    Buffer<std::byte> buffer_;
};

/// An array whose first elements stay on the device, and whose others are at home.
class DividedArray {
public:
    DividedArray(Plan& plan, std::size_t on_device, Home home, Purpose purpose, ScalarType type,
                 std::size_t elements)
        : on_device_(plan, Tier::device, purpose, type, on_device),
          at_home_(plan, home, purpose, type, elements - on_device) {}

    /// A stretch that lies in one of the two.
    View part(std::size_t offset, std::size_t count) const {
        const std::size_t first = on_device_.elements();
        return offset < first ? on_device_.part(offset, count) : at_home_.part(offset - first, count);
    }

private:
    Array on_device_, at_home_;
};

/// Every rank says whether it can go on. If one cannot, all throw: itself its own exception, the others one
/// that quotes it. So an error that one rank alone can see ends all of them, at the same point.
template <Communicator C, class F>
void agree(C& comm, const F& check) {
    std::string problem;
    std::exception_ptr own;
    try {
        check();
    } catch (const std::exception& e) {
        problem = e.what();
        own = std::current_exception();
    }
    const std::vector<std::size_t> lengths = all_gather_values(comm, problem.size() + (own ? 1 : 0));
    const auto first = std::find_if(lengths.begin(), lengths.end(), [](std::size_t n) { return n != 0; });
    if (first == lengths.end()) return;
    const int rank = static_cast<int>(first - lengths.begin());
    std::string text = problem;
    text.resize(*first - 1);
    broadcast(comm, std::as_writable_bytes(std::span(text)), rank);
    if (own) std::rethrow_exception(own);
    throw std::runtime_error("rank " + std::to_string(rank) + ": " + text);
}

template <Communicator C>
void Plan::commit(Memory& memory, C& comm, std::vector<std::string>& notes) {
    agree(comm, [&] {
        std::array<std::size_t, tier_count> in_use{};
        for (std::size_t t = 0; t < tier_count; ++t)
            in_use[t] = memory[static_cast<Tier>(t)].total().current_bytes;
        for (const Planned* planned : planned_)
            for (const Need& need : planned->needs()) {
                std::size_t& bytes = in_use[static_cast<std::size_t>(need.tier)];
                const std::optional<std::size_t> budget = memory[need.tier].budget_bytes();
                if (budget && need.bytes > *budget - std::min(*budget, bytes))
                    throw BudgetError(need.tier, need.purpose, need.bytes, bytes, *budget);
                bytes += need.bytes;
            }
    });
    agree(comm, [&] {  // there may still be less memory, or space on a disk, than budget
        for (Planned* planned : planned_) planned->allocate(memory, notes);
    });
    planned_.clear();
}

}  // namespace dszero
