// SPDX-License-Identifier: MIT
//
// The arrays that an engine holds. They are first planned, then allocated together,
// so that a budget's breach is an error on every rank before the first byte is taken.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/memory.hpp>
#include <dszero/engine/numeric/view.hpp>

#include <algorithm>
#include <cstddef>
#include <exception>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <vector>

namespace dszero {

class Array;

/// The arrays that are to be allocated, together or not at all.
class Plan {
public:
    void add(Array& array) { arrays_.push_back(&array); }

    /// Allocates them. Throws BudgetError on the rank that lacks the budget, and an error that says so on
    /// every other; nothing is allocated then.
    template <Communicator C>
    void commit(Memory& memory, C& comm);

private:
    std::vector<Array*> arrays_;
};

/// Memory of its own, zero at first. Exists from Plan::commit() on; its address must not change before.
class Array {
public:
    Array() = default;
    Array(Plan& plan, Home home, Purpose purpose, ScalarType type, std::size_t elements)
        : home_(home), purpose_(purpose), view_{nullptr, elements, type} {
        plan.add(*this);
    }
    Array(const Array&) = delete;
    Array& operator=(const Array&) = delete;

    void allocate(Memory& memory) {
        buffer_ = Buffer<std::byte>(memory[home_.tier], purpose_, view_.bytes(), home_.locked);
        view_.data = buffer_.data();
    }

    View view() const { return view_; }
    View part(std::size_t offset, std::size_t count) const { return view_.part(offset, count); }
    std::size_t elements() const { return view_.elements; }
    std::size_t bytes() const { return view_.bytes(); }
    Tier tier() const { return home_.tier; }
    Purpose purpose() const { return purpose_; }

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
void Plan::commit(Memory& memory, C& comm) {
    agree(comm, [&] {
        for (const Tier tier : {Tier::device, Tier::host, Tier::nvme}) {
            const std::optional<std::size_t> budget = memory[tier].budget_bytes();
            if (!budget) continue;
            std::size_t bytes = memory[tier].total().current_bytes;
            for (const Array* array : arrays_) {
                if (array->tier() != tier) continue;
                if (array->bytes() > *budget - std::min(*budget, bytes))
                    throw BudgetError(tier, array->purpose(), array->bytes(), bytes, *budget);
                bytes += array->bytes();
            }
        }
    });
    agree(comm, [&] {  // there may still be less memory than budget
        for (Array* array : arrays_) array->allocate(memory);
    });
    arrays_.clear();
}

}  // namespace dszero
