// SPDX-License-Identifier: MIT
//
// A communicator that fails on one rank, when it starts its n-th collective.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include <cstddef>
#include <span>
#include <stdexcept>
#include <type_traits>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

class FaultyCommunicator {
public:
    /// `fails_at` counts from 0.
    FaultyCommunicator(ThreadCommunicator& comm, int failing_rank, std::size_t fails_at)
        : comm_(comm), fails_at_(comm.rank() == failing_rank ? fails_at : never) {}

    int rank() const { return comm_.rank(); }
    int size() const { return comm_.size(); }
    const Traffic& traffic() { return comm_.traffic(); }
    std::size_t started() const { return started_; }

    template <Scalar T>
    ThreadWork start_reduce_scatter(std::type_identity_t<std::span<const T>> in, std::span<T> out,
                                    std::span<const Share> shares) {
        count();
        return comm_.start_reduce_scatter(in, out, shares);
    }
    template <Sendable T>
    ThreadWork start_all_gather(std::type_identity_t<std::span<const T>> in, std::span<T> out,
                                std::span<const Share> shares) {
        count();
        return comm_.start_all_gather(in, out, shares);
    }
    template <Sendable T>
    ThreadWork start_broadcast(std::span<T> data, int root) {
        count();
        return comm_.start_broadcast(data, root);
    }
    template <Scalar T>
    ThreadWork start_all_reduce(std::span<T> data) {
        count();
        return comm_.start_all_reduce(data);
    }

private:
    static constexpr std::size_t never = static_cast<std::size_t>(-1);

    void count() {
        if (started_++ == fails_at_) throw std::runtime_error("the cable is cut");
    }

    ThreadCommunicator& comm_;
    std::size_t fails_at_;
    std::size_t started_ = 0;
};

}  // namespace test
