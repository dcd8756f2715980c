// SPDX-License-Identifier: MIT
//
// A vector of plain values that keeps the first of them in itself: for the many
// short lists that a document brings, none of which then asks for memory.
// What does not depend on the elements' type is compiled once, so that a list of
// another type costs little compile time.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <new>
#include <stdexcept>
#include <type_traits>

namespace dszero {

/// A SmallVector, whatever its elements are. `inside`: where it keeps the first of them.
class AnySmallVector {
public:
    std::size_t size() const { return size_; }
    bool empty() const { return size_ == 0; }
    void pop_back() { --size_; }
    /// Drops the elements from the one at `size` on.
    void truncate(std::size_t size) { size_ = size; }

protected:
    AnySmallVector(void* inside, std::size_t room) : data_(inside), inside_(inside), capacity_(room) {}
    AnySmallVector(const AnySmallVector&) = delete;
    AnySmallVector& operator=(const AnySmallVector&) = delete;
    ~AnySmallVector() { free_memory(); }

    void free_memory() {
        if (data_ != inside_) std::free(data_);
    }
    /// Throws std::bad_alloc.
    void grow(std::size_t capacity, std::size_t element_bytes) {
        if (capacity <= capacity_) return;
        void* const larger = std::malloc(capacity * element_bytes);
        if (larger == nullptr) throw std::bad_alloc();
        std::memcpy(larger, data_, size_ * element_bytes);
        free_memory();
        data_ = larger;
        capacity_ = capacity;
    }
    void copy(const AnySmallVector& other, std::size_t element_bytes) {
        if (this == &other) return;
        size_ = 0;
        grow(other.size_, element_bytes);
        std::memcpy(data_, other.data_, other.size_ * element_bytes);
        size_ = other.size_;
    }
    /// The other one is empty afterwards.
    void take(AnySmallVector& other, std::size_t element_bytes) {
        if (this == &other) return;
        if (other.data_ == other.inside_) {
            copy(other, element_bytes);
        } else {
            free_memory();
            data_ = other.data_;
            size_ = other.size_;
            capacity_ = other.capacity_;
            other.data_ = other.inside_;
            other.capacity_ = 0;  // what it has inside is not used again
        }
        other.size_ = 0;
    }

    void* data_;
    void* const inside_;
    std::size_t size_ = 0;
    std::size_t capacity_;
};

/// A SmallVector of elements T, wherever it keeps the first of them.
template <class T>
class SmallVectorOf : public AnySmallVector {
    static_assert(std::is_trivially_copyable_v<T>);

public:
    T* begin() { return static_cast<T*>(data_); }
    T* end() { return static_cast<T*>(data_) + size_; }
    const T* begin() const { return static_cast<const T*>(data_); }
    const T* end() const { return static_cast<const T*>(data_) + size_; }
    T* data() { return static_cast<T*>(data_); }
    T& operator[](std::size_t i) { return static_cast<T*>(data_)[i]; }
    const T& operator[](std::size_t i) const { return static_cast<const T*>(data_)[i]; }
    T& back() { return static_cast<T*>(data_)[size_ - 1]; }
    const T& back() const { return static_cast<const T*>(data_)[size_ - 1]; }
    /// Throws std::out_of_range.
    const T& at(std::size_t i) const {
        if (i >= size_) throw std::out_of_range("SmallVector::at");
        return (*this)[i];
    }

    T& push_back(const T& element) {
        const T copied = element;  // it may be one of these
        if (size_ == capacity_) grow(2 * capacity_ + 1, sizeof(T));
        return *new (static_cast<T*>(data_) + size_++) T(copied);
    }
    /// Before the one at `at`.
    T& insert(std::size_t at, const T& element) {
        const T copied = element;  // it may be one of these
        push_back(copied);
        std::memmove(begin() + at + 1, begin() + at, (size_ - 1 - at) * sizeof(T));
        return *new (begin() + at) T(copied);
    }
    void reserve(std::size_t capacity) { grow(capacity, sizeof(T)); }
    /// Room for so many more, which are to be filled in.
    T* extend(std::size_t count) {
        reserve(size_ + count);
        size_ += count;
        return end() - count;
    }

protected:
    using AnySmallVector::AnySmallVector;
};

/// Holds up to `room` elements without an allocation.
template <class T, std::size_t room>
class SmallVector : public SmallVectorOf<T> {
public:
    SmallVector() : SmallVectorOf<T>(elements_, room) {}
    SmallVector(const SmallVector& other) : SmallVector() { this->copy(other, sizeof(T)); }
    SmallVector(SmallVector&& other) : SmallVector() { this->take(other, sizeof(T)); }
    SmallVector& operator=(const SmallVector& other) {
        this->copy(other, sizeof(T));
        return *this;
    }
    SmallVector& operator=(SmallVector&& other) {
        this->take(other, sizeof(T));
        return *this;
    }

private:
    alignas(T) unsigned char elements_[room * sizeof(T)];
};

}  // namespace dszero
