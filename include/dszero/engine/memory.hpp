// SPDX-License-Identifier: MIT
//
// Every byte that a rank's engine holds comes from an account (storage/account.hpp): one per
// tier, device, host and NVMe. Memory is a Buffer (storage/buffer.hpp). On a machine without
// an accelerator the device tier is host memory under an account of its own, so that what
// would fit can be shown.
#pragma once

#include <dszero/engine/storage/account.hpp>
#include <dszero/engine/storage/buffer.hpp>

#include <array>
#include <cstddef>
#include <optional>

namespace dszero {

/// In bytes, each optional.
struct MemoryBudgets {
    std::optional<std::size_t> device = {};
    std::optional<std::size_t> host = {};
    std::optional<std::size_t> nvme = {};
};

/// The accounts of one rank.
class Memory {
public:
    explicit Memory(const MemoryBudgets& budgets = {})
        : accounts_{{Account(Tier::device, budgets.device), Account(Tier::host, budgets.host),
                     Account(Tier::nvme, budgets.nvme)}} {}

    Account& operator[](Tier tier) { return accounts_[static_cast<std::size_t>(tier)]; }
    const Account& operator[](Tier tier) const { return accounts_[static_cast<std::size_t>(tier)]; }

private:
    std::array<Account, tier_count> accounts_;
};

}  // namespace dszero
