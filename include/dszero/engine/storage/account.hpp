// SPDX-License-Identifier: MIT
//
// What is held on one tier (device, host, NVMe), in bytes: current and at the peak, by
// purpose, with an optional budget. Going over it is an error before anything is allocated.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <limits>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace dszero {

enum class Tier : unsigned char { device, host, nvme };
inline constexpr std::size_t tier_count = 3;

/// Where something is kept.
struct Home {
    constexpr Home(Tier on = Tier::device, bool in_locked_pages = false)
        : tier(on), locked(in_locked_pages) {}

    Tier tier;
    bool locked;  ///< in pages that the system may not move out (pin_memory), as far as it lets us
};

enum class Purpose : unsigned char {
    weights,         ///< In the model's type: whole, or this rank's shard.
    gradients,       ///< Beyond the bucket they were reduced in.
    master_weights,  ///< The optimizer's fp32 copy.
    moments,         ///< The optimizer's states, whatever their number.
    buckets,         ///< Gradients on their way to being reduced.
    gathered,        ///< Whole weights, while they are needed (stage 3).
    staging,         ///< Everything on its way from one place to another.
};
inline constexpr std::size_t purpose_count = 7;

std::string_view to_string(Tier tier);        ///< "device"
std::string_view to_string(Purpose purpose);  ///< "master_weights"

struct Usage {
    std::size_t current_bytes = 0;
    std::size_t peak_bytes = 0;
};

/// Thrown before anything is allocated. what(): "device: 4096 bytes for moments would
/// exceed the budget of 10000 bytes (8192 in use)".
class BudgetError : public std::runtime_error {
public:
    BudgetError(Tier tier, Purpose purpose, std::size_t asked_bytes, std::size_t in_use_bytes,
                std::size_t budget_bytes);

    Tier tier;
    Purpose purpose;
    std::size_t asked_bytes;
    std::size_t in_use_bytes;
    std::size_t budget_bytes;
};

/// What one rank holds on one tier. Safe to use from several threads.
class Account {
public:
    explicit Account(Tier tier, std::optional<std::size_t> budget_bytes = {})
        : tier_(tier), budget_bytes_(budget_bytes) {}
    Account(const Account&) = delete;
    Account& operator=(const Account&) = delete;

    Tier tier() const { return tier_; }
    std::optional<std::size_t> budget_bytes() const;
    void set_budget(std::optional<std::size_t> budget_bytes);

    Usage usage(Purpose purpose) const;
    Usage total() const;                     ///< Its peak is that of the sum, not the sum of the peaks.
    Usage locked() const;                    ///< Of the total, what is in locked pages.
    std::size_t lock_refused_bytes() const;  ///< Of all that was ever taken, what should have been.

    /// Books bytes, or throws BudgetError. Buffer and Charge do this; call neither by hand.
    void take(Purpose purpose, std::size_t bytes);
    void give_back(Purpose purpose, std::size_t bytes) noexcept;
    /// Notes that bytes taken are locked, or that the system refused it.
    void lock(std::size_t bytes);
    void unlock(std::size_t bytes) noexcept;
    void note_lock_refused(std::size_t bytes);

private:
    Tier tier_;
    mutable std::mutex mutex_;
    std::optional<std::size_t> budget_bytes_;
    std::array<Usage, purpose_count> usage_;
    Usage total_, locked_;
    std::size_t lock_refused_bytes_ = 0;
};

/// Bytes on an account for as long as it lives: for what is not memory (a file on NVMe), or
/// was allocated by someone else.
class Charge {
public:
    Charge() = default;
    Charge(Account& account, Purpose purpose, std::size_t bytes);
    Charge(Charge&& other) noexcept;
    Charge& operator=(Charge&& other) noexcept;
    ~Charge();

    std::size_t bytes() const { return bytes_; }

private:
    Account* account_ = nullptr;
    Purpose purpose_ = Purpose::staging;
    std::size_t bytes_ = 0;
};

// ---- Implementation ----

inline std::string_view to_string(Tier tier) {
    constexpr std::string_view names[] = {"device", "host", "nvme"};
    return names[static_cast<std::size_t>(tier)];
}

inline std::string_view to_string(Purpose purpose) {
    constexpr std::string_view names[] = {"weights", "gradients", "master_weights", "moments",
                                          "buckets", "gathered",  "staging"};
    return names[static_cast<std::size_t>(purpose)];
}

inline BudgetError::BudgetError(Tier on, Purpose for_what, std::size_t asked, std::size_t in_use,
                                std::size_t budget)
    : std::runtime_error(std::string(to_string(on)) + ": " + std::to_string(asked) + " bytes for " +
                         std::string(to_string(for_what)) + " would exceed the budget of " +
                         std::to_string(budget) + " bytes (" + std::to_string(in_use) + " in use)"),
      tier(on),
      purpose(for_what),
      asked_bytes(asked),
      in_use_bytes(in_use),
      budget_bytes(budget) {}

inline void Account::take(Purpose purpose, std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    const std::size_t limit = budget_bytes_.value_or(std::numeric_limits<std::size_t>::max());
    if (total_.current_bytes > limit || bytes > limit - total_.current_bytes)
        throw BudgetError(tier_, purpose, bytes, total_.current_bytes, limit);
    for (Usage* usage : {&usage_[static_cast<std::size_t>(purpose)], &total_}) {
        usage->current_bytes += bytes;
        usage->peak_bytes = std::max(usage->peak_bytes, usage->current_bytes);
    }
}

inline void Account::give_back(Purpose purpose, std::size_t bytes) noexcept {
    const std::lock_guard lock(mutex_);
    usage_[static_cast<std::size_t>(purpose)].current_bytes -= bytes;
    total_.current_bytes -= bytes;
}

inline void Account::lock(std::size_t bytes) {
    const std::lock_guard guard(mutex_);
    locked_.current_bytes += bytes;
    locked_.peak_bytes = std::max(locked_.peak_bytes, locked_.current_bytes);
}

inline void Account::unlock(std::size_t bytes) noexcept {
    const std::lock_guard guard(mutex_);
    locked_.current_bytes -= bytes;
}

inline void Account::note_lock_refused(std::size_t bytes) {
    const std::lock_guard guard(mutex_);
    lock_refused_bytes_ += bytes;
}

inline Usage Account::locked() const {
    const std::lock_guard guard(mutex_);
    return locked_;
}

inline std::size_t Account::lock_refused_bytes() const {
    const std::lock_guard guard(mutex_);
    return lock_refused_bytes_;
}

inline std::optional<std::size_t> Account::budget_bytes() const {
    const std::lock_guard lock(mutex_);
    return budget_bytes_;
}

inline void Account::set_budget(std::optional<std::size_t> budget_bytes) {
    const std::lock_guard lock(mutex_);
    budget_bytes_ = budget_bytes;
}

inline Usage Account::usage(Purpose purpose) const {
    const std::lock_guard lock(mutex_);
    return usage_[static_cast<std::size_t>(purpose)];
}

inline Usage Account::total() const {
    const std::lock_guard lock(mutex_);
    return total_;
}

inline Charge::Charge(Account& account, Purpose purpose, std::size_t bytes)
    : account_(&account), purpose_(purpose), bytes_(bytes) {
    account.take(purpose, bytes);
}

inline Charge::Charge(Charge&& other) noexcept
    : account_(std::exchange(other.account_, nullptr)),
      purpose_(other.purpose_),
      bytes_(std::exchange(other.bytes_, 0)) {}

inline Charge& Charge::operator=(Charge&& other) noexcept {
    Charge old(std::move(*this));
    account_ = std::exchange(other.account_, nullptr);
    purpose_ = other.purpose_;
    bytes_ = std::exchange(other.bytes_, 0);
    return *this;
}

inline Charge::~Charge() {
    if (account_ != nullptr) account_->give_back(purpose_, bytes_);
}

}  // namespace dszero
