// SPDX-License-Identifier: MIT
//
// The device memory that stage 3 gathers weights into.
#pragma once

#include <dszero/engine/memory.hpp>
#include <dszero/engine/storage/array.hpp>

#include <algorithm>
#include <cstddef>
#include <list>
#include <string>
#include <utility>
#include <vector>

namespace dszero {

/// Memory for whole parameters, which come and go in few sizes: a block that became free is used again for
/// the same size. What is held, free blocks included, never exceeds the most that was ever in use.
class GatherPool {
public:
    using Block = Buffer<std::byte>;

    explicit GatherPool(Memory& memory) : account_(memory[Tier::device]) {}

    Block take(std::size_t bytes) {
        in_use_ += bytes;
        most_in_use_ = std::max(most_in_use_, in_use_);
        const auto same =
            std::find_if(free_.begin(), free_.end(), [&](const Block& b) { return b.size() == bytes; });
        if (same != free_.end()) {
            Block block = std::move(*same);
            free_.erase(same);
            free_bytes_ -= bytes;
            return block;
        }
        while (!free_.empty() && in_use_ + free_bytes_ > most_in_use_) {
            free_bytes_ -= free_.front().size();
            free_.pop_front();
        }
        return Block(account_, Purpose::gathered, bytes);
    }
    void give_back(Block block) {
        in_use_ -= block.size();
        free_bytes_ += block.size();
        free_.push_back(std::move(block));
    }

    std::size_t in_use() const { return in_use_; }  ///< in bytes

private:
    Account& account_;
    std::list<Block> free_;
    std::size_t in_use_ = 0, free_bytes_ = 0, most_in_use_ = 0;
};

/// Bytes that must be gathered at a time, whatever else may be: planned, so that a budget too small for them
/// is an error before anything is allocated.
class GatherNeed final : public Planned {
public:
    GatherNeed(Plan& plan, std::size_t bytes) : bytes_(bytes) { plan.add(*this); }

    std::vector<Need> needs() const override { return {{Tier::device, Purpose::gathered, bytes_}}; }
    void allocate(Memory&, std::vector<std::string>&) override {}

private:
    std::size_t bytes_;
};

}  // namespace dszero
