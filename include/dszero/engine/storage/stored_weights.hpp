// SPDX-License-Identifier: MIT
//
// Weights in a store: a row of pieces, which pass through a pool of a few equal buffers
// (offload_param's buffer_count). A piece is read for its gather, ahead of it as far as
// buffers are free; a step's new weights are collected in a buffer and written behind it.
#pragma once

#include <dszero/engine/numeric/view.hpp>
#include <dszero/engine/storage/array.hpp>
#include <dszero/engine/storage/erased_store.hpp>
#include <dszero/engine/storage/operand.hpp>
#include <dszero/engine/storage/pages.hpp>
#include <dszero/layout/partition.hpp>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace dszero {

/// The buffers that weights pass through. In elements.
struct PieceBuffers {
    std::size_t count = 5;
    std::size_t elements = 0;
    bool locked = false;
};

class StoredWeights final : public Planned, public Passage {
public:
    /// Offsets and lengths in the store, and buffers, are whole blocks, so that direct I/O is possible.
    static constexpr std::size_t block_bytes = page_bytes;

    /// A row of `elements`. A piece is at most buffers.elements long.
    StoredWeights(Plan& plan, StorePlace place, ScalarType type, std::size_t elements,
                  const PieceBuffers& buffers)
        : place_(std::move(place)),
          type_(type),
          elements_(elements),
          locked_(buffers.locked),
          // a piece may begin and end anywhere in a block
          buffer_bytes_(in_blocks(buffers.elements * size_of(type)) + block_bytes),
          buffers_(std::max<std::size_t>(1, buffers.count)) {
        plan.add(*this);
    }

    std::size_t store_bytes() const { return in_blocks(elements_ * size_of(type_)); }
    std::size_t staging_bytes() const { return buffers_.size() * buffer_bytes_; }
    std::vector<Need> needs() const override {
        return {{Tier::nvme, Purpose::weights, store_bytes()},
                {Tier::host, Purpose::staging, staging_bytes()}};
    }
    void allocate(Memory& memory, std::vector<std::string>& notes) override {
        charge_ = Charge(memory[Tier::nvme], Purpose::weights, store_bytes());
        pool_ = Buffer<std::byte>(memory[Tier::host], Purpose::staging, staging_bytes(), locked_);
        store_.emplace(place_.open(place_.directory, store_bytes(), notes));
        if (const std::error_code refused = store_->register_memory(pool_.span()))
            notes.push_back(store_->name() + ": buffers of weights are not registered with the kernel (" +
                            refused.message() + "); " + locked_memory_limit() + "; results are the same");
        for (std::size_t b = 0; b < buffers_.size(); ++b)
            buffers_[b].memory = pool_.span().subspan(b * buffer_bytes_, buffer_bytes_);
    }
    const ErasedStore& store() const { return *store_; }

    /// Rows of their own begin at multiples of it.
    static std::size_t block_elements(ScalarType type) { return block_bytes / size_of(type); }

    // ---- Pieces for gathers: named by whoever asks, in no particular order

    /// Starts to read a piece, if a buffer is free for it.
    bool fetch_ahead(std::size_t name, std::size_t position, std::size_t elements) {
        if (find(name)) return true;
        Slot* const slot = find(nobody);
        if (!slot) return false;
        start(*slot, name, position, elements);
        return true;
    }
    /// Whether fetch() finds a buffer: one that is free, or whose piece is not being used.
    bool has_room(std::size_t name) const {
        return std::any_of(buffers_.begin(), buffers_.end(),
                           [&](const Slot& s) { return s.name == name || !s.used; });
    }
    /// The piece in memory, until done().
    View fetch(std::size_t name, std::size_t position, std::size_t elements) {
        Slot* slot = find(name);
        if (!slot) {
            slot = find(nobody);
            if (!slot) slot = &last_unused();
            start(*slot, name, position, elements);
        }
        slot->transfer.wait();
        slot->used = true;
        return view(*slot, position, elements);
    }
    void done(std::size_t name) {
        if (Slot* const slot = find(name)) free(*slot);
    }

    // ---- Parts, one after the other

    View read(std::size_t position, std::size_t wanted) override {
        end_writing();
        for (Slot& slot : buffers_) free(slot);
        const std::size_t count = std::min(wanted, buffer_elements() - block_elements());
        start(buffers_.front(), nobody, position, count);
        buffers_.front().transfer.wait();
        return view(buffers_.front(), position, count);
    }
    View write(std::size_t position, std::size_t wanted) override {
        if (writing_ && position != end_) end_writing();
        if (!writing_) begin_writing(position);
        if (filled() == buffer_elements()) turn_over();
        opened_ = std::min(wanted, buffer_elements() - filled());
        return whole(buffers_[turn_]).part(filled(), opened_);
    }
    void written() override { end_ += std::exchange(opened_, 0); }
    /// Writes what was collected. What follows it in the same block is lost: rows that are written by
    /// themselves begin at whole blocks.
    void end_writing() {
        if (!std::exchange(writing_, false)) return;
        flush(in_blocks(filled() * size_of(type_)));
        for (Slot& slot : buffers_) free(slot);
    }

private:
    static constexpr std::size_t nobody = static_cast<std::size_t>(-1);
    struct Slot {
        std::span<std::byte> memory;
        std::size_t name = nobody;  ///< of the piece in it
        bool used = false;
        std::uint64_t order = 0;  ///< when it was asked for
        ErasedStore::Transfer transfer;
    };

    static constexpr std::size_t in_blocks(std::size_t bytes) { return round_up(bytes, block_bytes); }
    std::size_t block_elements() const { return block_elements(type_); }
    std::size_t buffer_elements() const { return buffer_bytes_ / size_of(type_); }
    View whole(const Slot& slot) const { return {slot.memory.data(), buffer_elements(), type_}; }

    Slot* find(std::size_t name) {
        const auto at =
            std::find_if(buffers_.begin(), buffers_.end(), [&](const Slot& s) { return s.name == name; });
        return at == buffers_.end() ? nullptr : &*at;
    }
    /// What was fetched ahead last will be needed last.
    Slot& last_unused() {
        Slot* last = nullptr;
        for (Slot& slot : buffers_)
            if (!slot.used && (!last || slot.order > last->order)) last = &slot;
        if (!last) throw std::logic_error("no buffer for a weight on NVMe is free");
        free(*last);
        return *last;
    }
    void free(Slot& slot) {
        slot.transfer.wait();
        slot.name = nobody;
        slot.used = false;
    }

    void start(Slot& slot, std::size_t name, std::size_t position, std::size_t elements) {
        const std::size_t begin = position * size_of(type_) / block_bytes * block_bytes;
        const std::size_t end = in_blocks((position + elements) * size_of(type_));
        slot.name = name;
        slot.order = next_order_++;
        slot.transfer = store_->start_read(begin, slot.memory.first(end - begin));
    }
    View view(const Slot& slot, std::size_t position, std::size_t elements) const {
        return whole(slot).part(position % block_elements(), elements);
    }

    void begin_writing(std::size_t position) {
        for (Slot& slot : buffers_) free(slot);
        writing_ = true;
        turn_ = 0;
        begin_ = end_ = position;
        if (position % block_elements() != 0)
            throw std::logic_error("weights on NVMe are written from a block's start on");
    }
    std::size_t filled() const { return end_ - begin_; }
    void flush(std::size_t bytes) {
        Slot& slot = buffers_[turn_];
        if (bytes != 0)
            slot.transfer = store_->start_write(begin_ * size_of(type_), slot.memory.first(bytes));
    }
    /// The full buffer is written while the next one is filled.
    void turn_over() {
        flush(buffer_bytes_);
        turn_ = (turn_ + 1) % buffers_.size();
        buffers_[turn_].transfer.wait();
        begin_ = end_;
    }

    StorePlace place_;
    ScalarType type_;
    std::size_t elements_;
    bool locked_;
    std::size_t buffer_bytes_;
    std::uint64_t next_order_ = 0;
    bool writing_ = false;
    std::size_t turn_ = 0;             ///< the buffer that is being filled
    std::size_t begin_ = 0, end_ = 0;  ///< what it holds of the row
    std::size_t opened_ = 0;
    Charge charge_;
    Buffer<std::byte> pool_;
    std::optional<ErasedStore> store_;
    std::vector<Slot> buffers_;  ///< last: what moves in or out is waited for before its store goes
};

}  // namespace dszero
