// SPDX-License-Identifier: MIT
//
// How each rank of a world ended: for tests of errors.
#pragma once

#include <dszero/engine/thread_communicator.hpp>

#include <cstddef>
#include <exception>
#include <functional>
#include <string>
#include <vector>

namespace test {

using namespace dszero;  // NOLINT: tests are about it

/// What each rank ended with; empty for one that came through.
inline std::vector<std::string> endings(std::size_t ranks,
                                        const std::function<void(ThreadCommunicator&)>& body) {
    std::vector<std::string> messages(ranks);
    try {
        ThreadWorld(static_cast<int>(ranks)).run([&](ThreadCommunicator& comm) {
            try {
                body(comm);
            } catch (const std::exception& e) {
                messages[static_cast<std::size_t>(comm.rank())] = e.what();
                throw;
            }
        });
    } catch (const std::exception&) {
    }
    return messages;
}

}  // namespace test
