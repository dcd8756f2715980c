// SPDX-License-Identifier: MIT
//
// A vector of plain values that keeps the first of them in itself: for the many
// short lists that a document brings, none of which then asks for memory.
// Growing is one function for all types, so that a list of another type costs
// little compile time.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <type_traits>

namespace dszero {

/// Holds up to `room` elements without an allocation.
template <class T, std::size_t room>
class SmallVector {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    SmallVector() = default;
    SmallVector(const SmallVector& other) { copy(other); }
    SmallVector(SmallVector&& other) noexcept { take(other); }
    SmallVector& operator=(const SmallVector& other) {
        if (this != &other) {
            size_ = 0;
            copy(other);
        }
        return *this;
    }
    SmallVector& operator=(SmallVector&& other) noexcept {
        if (this != &other) {
            free_memory();
            take(other);
        }
        return *this;
    }
    ~SmallVector() { free_memory(); }

    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    T* begin() { return data_; }
    T* end() { return data_ + size_; }
    const T* begin() const { return data_; }
    const T* end() const { return data_ + size_; }
    T& operator[](std::size_t i) { return data_[i]; }
    const T& operator[](std::size_t i) const { return data_[i]; }
    T& back() { return data_[size_ - 1]; }
    const T& back() const { return data_[size_ - 1]; }
    /// Throws std::out_of_range.
    const T& at(std::size_t i) const {
        if (i >= size_) throw std::out_of_range("SmallVector::at");
        return data_[i];
    }
    T* data() { return data_; }

    T& push_back(const T& element) {
        const T copy = element;  // it may be one of these
        if (size_ == capacity_) reserve(2 * capacity_);
        return *new (data_ + size_++) T(copy);
    }
    void pop_back() { --size_; }
    /// Drops the elements from the one at `size` on.
    void truncate(std::size_t size) { size_ = size; }
    void reserve(std::size_t capacity);

private:
    bool is_inside() const { return static_cast<const void*>(data_) == inside_; }
    void free_memory() {
        if (!is_inside()) std::free(data_);
    }
    void copy(const SmallVector& other) {
        reserve(other.size_);
        std::memcpy(data_, other.data_, other.size_ * sizeof(T));
        size_ = other.size_;
    }
    void take(SmallVector& other) {
        data_ = reinterpret_cast<T*>(inside_);
        if (other.is_inside())
            std::memcpy(inside_, other.inside_, other.size_ * sizeof(T));
        else
            data_ = other.data_;
        size_ = other.size_;
        capacity_ = other.capacity_;
        other.data_ = reinterpret_cast<T*>(other.inside_);
        other.size_ = 0;
        other.capacity_ = room;
    }

    T* data_ = reinterpret_cast<T*>(inside_);
    std::size_t size_ = 0;
    std::size_t capacity_ = room;
    alignas(T) unsigned char inside_[room * sizeof(T)];
};

/// Memory of `new_bytes` that begins with the `bytes` at `from`. Frees `from` unless it is `inside` a vector.
/// Throws std::bad_alloc.
inline void* move_elements(void* from, const void* inside, std::size_t bytes, std::size_t new_bytes) {
    void* const to = std::malloc(new_bytes);
    if (to == nullptr) throw std::bad_alloc();
    std::memcpy(to, from, bytes);
    if (from != inside) std::free(from);
    return to;
}

template <class T, std::size_t room>
void SmallVector<T, room>::reserve(std::size_t capacity) {
    if (capacity <= capacity_) return;
    data_ = static_cast<T*>(move_elements(data_, inside_, size_ * sizeof(T), capacity * sizeof(T)));
    capacity_ = capacity;
}

}  // namespace dszero
