// SPDX-License-Identifier: MIT
//
// Memory that an account knows of.
#pragma once

#include <dszero/engine/storage/account.hpp>
#include <dszero/engine/storage/locked_pages.hpp>
#include <dszero/engine/storage/pages.hpp>

#include <cstddef>
#include <limits>
#include <new>
#include <span>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace dszero {

/// Zeroed memory for `elements` T, aligned to 64 bytes, booked to the byte. From 1 MiB up it
/// is pages of its own (huge ones where the system has them), touched when it is made and
/// returned to the system when it is destroyed: resident memory is what the account says.
/// Converts to std::span<T>.
template <typename T>
class Buffer {
    static_assert(std::is_trivially_copyable_v<T> && std::is_trivially_destructible_v<T>);

public:
    Buffer() = default;
    /// `locked`: in locked pages. Where the system refuses that, in plain ones, which the account notes.
    Buffer(Account& account, Purpose purpose, std::size_t elements, bool locked = false);
    Buffer(Buffer&& other) noexcept { swap(other); }
    Buffer& operator=(Buffer&& other) noexcept {
        Buffer taken(std::move(other));
        swap(taken);
        return *this;
    }
    ~Buffer();

    T* data() { return data_; }
    const T* data() const { return data_; }
    std::size_t size() const { return elements_; }
    std::size_t size_bytes() const { return elements_ * sizeof(T); }
    bool empty() const { return elements_ == 0; }
    T* begin() { return data_; }
    T* end() { return data_ + elements_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + elements_; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }

    std::span<T> span() { return {data_, elements_}; }
    std::span<const T> span() const { return {data_, elements_}; }

private:
    void swap(Buffer& other) noexcept {
        std::swap(charge_, other.charge_);
        std::swap(data_, other.data_);
        std::swap(elements_, other.elements_);
        std::swap(pages_from_bytes_, other.pages_from_bytes_);
        std::swap(locked_, other.locked_);
        std::swap(locked_on_, other.locked_on_);
    }

    Charge charge_;
    T* data_ = nullptr;
    std::size_t elements_ = 0;
    std::size_t pages_from_bytes_ = own_pages_from_bytes;
    LockedPages locked_;
    Account* locked_on_ = nullptr;  ///< The account that counts it as locked.
};

// ---- Implementation ----

template <typename T>
Buffer<T>::Buffer(Account& account, Purpose purpose, std::size_t elements, bool locked)
    : Buffer() {  // from here on the destructor runs, whatever throws
    if (elements > std::numeric_limits<std::size_t>::max() / sizeof(T)) throw std::bad_alloc();
    charge_ = Charge(account, purpose, elements * sizeof(T));
    if (locked) pages_from_bytes_ = 0;
    data_ = static_cast<T*>(allocate_zeroed(elements * sizeof(T), pages_from_bytes_));
    elements_ = elements;
    if (!locked) return;
    std::vector<std::string> refused;
    locked_ = LockedPages(std::as_bytes(span()), refused);
    if (refused.empty())
        (locked_on_ = &account)->lock(size_bytes());
    else
        account.note_lock_refused(size_bytes());
}

template <typename T>
Buffer<T>::~Buffer() {
    if (locked_on_) locked_on_->unlock(size_bytes());
    locked_ = {};
    free_zeroed(data_, size_bytes(), pages_from_bytes_);
}

}  // namespace dszero
