// SPDX-License-Identifier: MIT
//
// Collects an engine's report from its parts.
#pragma once

#include <dszero/engine/communicator.hpp>
#include <dszero/engine/memory.hpp>
#include <dszero/engine/parts/engine_report.hpp>
#include <dszero/engine/parts/settings.hpp>
#include <dszero/engine/parts/stage.hpp>

#include <cstddef>
#include <string>
#include <utility>

namespace dszero {

template <Communicator C>
EngineReport report_on(const Settings& settings, const Memory& memory, const C& comm, const Stage& stage,
                       const TrafficLog& log) {
    EngineReport r;
    r.stage = static_cast<int>(settings.stage);
    r.ranks = comm.size();
    r.memory = report(memory, comm.rank());
    r.traffic = log;
    const std::pair<const char*, const ErasedStore*> stores[] = {{"optimizer", stage.optimizer_store()},
                                                                 {"weights", stage.weights_store()}};
    for (const auto& [what, store] : stores)
        if (store) r.stores.push_back({what, store->name(), store->reads(), store->writes()});
    r.notes = settings.notes;
    if (const std::size_t bytes = memory[Tier::host].lock_refused_bytes(); bytes != 0)
        r.notes.push_back("pin_memory: " + std::to_string(bytes) + " bytes of host memory are not locked; " +
                          locked_memory_limit() + "; results are the same");
    return r;
}

}  // namespace dszero
