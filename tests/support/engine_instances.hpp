// SPDX-License-Identifier: MIT
//
// The engine over threads, compiled once for all that test it (training.cpp).
#pragma once

#include <dszero/engine/engine.hpp>
#include <dszero/engine/thread_communicator.hpp>

#include "support/engine_config.hpp"

namespace dszero {

extern template class Engine<float, ThreadCommunicator>;
extern template class Engine<bf16, ThreadCommunicator>;
extern template class Engine<fp16, ThreadCommunicator>;
extern template Settings settings_for(const test::EngineConfig&, const EngineOptions&, std::size_t);

}  // namespace dszero
