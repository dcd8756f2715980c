// SPDX-License-Identifier: MIT

// A Store of your own: two disks as one, at the speed of both. It models the concept of
// dszero/engine/store.hpp on top of other stores; the optimizer steps over it as over any.
#include <dszero/engine/file_store.hpp>
#include <dszero/engine/optimizers.hpp>
#include <dszero/engine/tiled_step.hpp>

#include <algorithm>
#include <iostream>
#include <map>

/// Bytes in stripes: the first on the first disk, the second on the second, and so on, round and round.
class StripedStore {
public:
    static constexpr std::size_t stripe_bytes = 1 << 18;

    /// All equally large, and of whole stripes.
    explicit StripedStore(std::vector<dszero::ErasedStore> disks) : disks_(std::move(disks)) {}

    std::uint64_t size() const { return disks_.size() * disks_[0].size(); }
    std::size_t alignment() const {
        std::size_t most = 1;
        for (const auto& disk : disks_) most = std::max(most, disk.alignment());
        return most;
    }
    std::string name() const { return std::to_string(disks_.size()) + " striped disks"; }

    dszero::StoreTicket start_read(std::uint64_t offset, std::span<std::byte> to) {
        return start(offset, to, &dszero::ErasedStore::start_read);
    }
    dszero::StoreTicket start_write(std::uint64_t offset, std::span<const std::byte> from) {
        return start(offset, from, &dszero::ErasedStore::start_write);
    }
    std::size_t wait(dszero::StoreTicket ticket) {
        const auto request = requests_.extract(ticket);
        for (auto& transfer : request.mapped().transfers) transfer.wait();
        return request.mapped().bytes;
    }

private:
    struct Request {
        std::size_t bytes;
        std::vector<dszero::ErasedStore::Transfer> transfers;
    };

    template <class Span, class Start>
    dszero::StoreTicket start(std::uint64_t offset, Span memory, Start start_on_disk) {
        Request request{memory.size(), {}};
        for (std::size_t done = 0; done < memory.size();) {
            const std::uint64_t stripe = (offset + done) / stripe_bytes,
                                skip = (offset + done) % stripe_bytes;
            const std::size_t part = std::min<std::size_t>(stripe_bytes - skip, memory.size() - done);
            dszero::ErasedStore& disk = disks_[stripe % disks_.size()];
            const std::uint64_t on_disk = stripe / disks_.size() * stripe_bytes + skip;
            request.transfers.push_back((disk.*start_on_disk)(on_disk, memory.subspan(done, part)));
            done += part;
        }
        requests_.emplace(++last_ticket_, std::move(request));
        return last_ticket_;
    }

    std::vector<dszero::ErasedStore> disks_;
    std::map<dszero::StoreTicket, Request> requests_;
    dszero::StoreTicket last_ticket_ = 0;
};

static_assert(dszero::Store<StripedStore>);

/// Ten AdamW steps of a million weights over a store; the sum of the weights, to compare.
double train(dszero::ErasedStore store) {
    constexpr std::size_t elements = 1'000'000;
    dszero::Account host(dszero::Tier::host);
    std::vector<std::string> notes;
    dszero::TiledArrays states(std::move(store), 3, elements, {}, host,
                               notes);  // master weights, two moments
    states.fill([](std::size_t, std::size_t, auto tile) {
        for (auto& array : tile) std::fill(array.begin(), array.end(), 0.0f);
    });
    const dszero::ErasedOptimizer adamw{dszero::AdamW()};
    dszero::ThreadPool pool;
    std::vector<float> gradients(elements), weights(elements);
    for (std::size_t i = 0; i < elements; ++i) gradients[i] = static_cast<float>(i % 7) - 3;
    const auto view = [](std::vector<float>& v) {
        return dszero::View{reinterpret_cast<std::byte*>(v.data()), v.size(), dszero::ScalarType::fp32};
    };
    const dszero::ShardSegment everything[] = {{0, 0, elements}};
    for (std::int64_t t = 1; t <= 10; ++t)
        dszero::tiled_step(
            states, adamw, pool, everything,
            [&](std::size_t) { return dszero::StepScalars{.lr = 0.01, .weight_decay = 0.1, .t = t}; },
            [&](std::size_t) { return view(gradients); }, [&](std::size_t) { return view(weights); });
    std::cout << states.store().name() << ": " << states.store().reads().bytes << " bytes read, "
              << states.store().writes().bytes << " written, through " << host.total().peak_bytes
              << " bytes of memory\n";
    double sum = 0;
    for (const float weight : weights) sum += weight;
    return sum;
}

int main(int argc, char** argv) try {
    const std::string folder = std::filesystem::temp_directory_path();
    std::vector<std::string> notes;
    std::vector<dszero::ErasedStore> disks;
    for (int disk = 1; disk <= 2; ++disk)  // two folders, ideally on two disks
        disks.push_back(dszero::open_file_store(disk < argc ? argv[disk] : folder, 24 << 18, notes));

    dszero::Account account(dszero::Tier::host);
    auto memory = std::make_unique<dszero::MemoryStore>(account, dszero::Purpose::moments, 48 << 18);
    const double in_memory = train(dszero::ErasedStore(std::move(memory)));
    const double striped = train(dszero::ErasedStore(std::make_unique<StripedStore>(std::move(disks))));
    std::cout << (striped == in_memory ? "the same weights\n" : "different weights\n");
    return striped != in_memory;
} catch (const std::exception& error) {  // a folder that is missing or full, for one
    std::cerr << error.what() << '\n';
    return 1;
}
