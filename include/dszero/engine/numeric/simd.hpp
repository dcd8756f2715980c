// SPDX-License-Identifier: MIT
//
// Vector code chosen at run time, without -march and without one source per instruction
// set. A kernel is written once over Floats<N> and Words<N>, and vectorised(kernel) runs
// its copy for the widest set that the machine has. Every operation here is one IEEE
// operation per lane, so all copies give the same bits, at every optimization level; for
// that the compiler must not contract a * b + c into one (-ffp-contract=off, which the
// target dszero::engine carries).
#pragma once

#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace dszero {

enum class InstructionSet : unsigned char { portable, avx2, avx512 };

/// The widest one that both this machine and the compiled code have.
InstructionSet best_instruction_set();

/// What vectorised() uses from now on, in every thread; never more than the best. Only
/// tests and benchmarks have a reason to call it: the results are the same.
void use_instruction_set(InstructionSet set);
InstructionSet instruction_set();

/// How many floats a vector holds; what a kernel is called with.
template <std::size_t N>
using Lanes = std::integral_constant<std::size_t, N>;

/// Calls kernel(Lanes<N>{}) in code compiled for instruction_set(). The kernel is a lambda
/// with __attribute__((always_inline)), as is all that it calls on Floats:
///
///     vectorised([&](auto lanes) __attribute__((always_inline)) {
///         constexpr std::size_t N = lanes;
///         for (i = 0; i + N <= n; i += N) (Floats<N>::load(a + i) + Floats<N>::load(b + i)).store(sum + i);
///     });
template <typename Kernel>
void vectorised(const Kernel& kernel);

/// The compilers' vector types. Spelled out, as GCC 12 misreads vector_size(N) in a template.
template <std::size_t N>
struct VectorTypes;
template <>
struct VectorTypes<4> {
    typedef float Floats __attribute__((vector_size(16)));
    typedef std::uint32_t Words __attribute__((vector_size(16)));
    typedef std::int32_t Integers __attribute__((vector_size(16)));
    typedef std::uint16_t Halves __attribute__((vector_size(8)));
};
template <>
struct VectorTypes<8> {
    typedef float Floats __attribute__((vector_size(32)));
    typedef std::uint32_t Words __attribute__((vector_size(32)));
    typedef std::int32_t Integers __attribute__((vector_size(32)));
    typedef std::uint16_t Halves __attribute__((vector_size(16)));
};
template <>
struct VectorTypes<16> {
    typedef float Floats __attribute__((vector_size(64)));
    typedef std::uint32_t Words __attribute__((vector_size(64)));
    typedef std::int32_t Integers __attribute__((vector_size(64)));
    typedef std::uint16_t Halves __attribute__((vector_size(32)));
};

template <std::size_t N>
struct Words;

/// N floats, computed on together. Passed by reference wherever it is not inlined (it has
/// a copy constructor of its own), since the ABI for wide vectors depends on compiler flags.
template <std::size_t N>
struct Floats {
    using Vector = typename VectorTypes<N>::Floats;
    Vector v;

    [[gnu::always_inline]] Floats() {}  // NOLINT: left uninitialised, like a float
    [[gnu::always_inline]] Floats(const Floats& other) : v(other.v) {}
    [[gnu::always_inline]] explicit Floats(const Vector& vector) : v(vector) {}
    [[gnu::always_inline]] Floats(float all) {
        for (std::size_t i = 0; i < N; ++i) v[i] = all;  // one broadcast
    }
    [[gnu::always_inline]] Floats& operator=(const Floats& other) {
        v = other.v;
        return *this;
    }

    [[gnu::always_inline]] static Floats load(const float* from) {
        Floats result;
        std::memcpy(&result.v, from, sizeof result.v);
        return result;
    }
    [[gnu::always_inline]] void store(float* to) const { std::memcpy(to, &v, sizeof v); }

    [[gnu::always_inline]] Words<N> bits() const;

    [[gnu::always_inline]] friend Floats operator+(const Floats& a, const Floats& b) {
        return Floats(a.v + b.v);
    }
    [[gnu::always_inline]] friend Floats operator-(const Floats& a, const Floats& b) {
        return Floats(a.v - b.v);
    }
    [[gnu::always_inline]] friend Floats operator*(const Floats& a, const Floats& b) {
        return Floats(a.v * b.v);
    }
    [[gnu::always_inline]] friend Floats operator/(const Floats& a, const Floats& b) {
        return Floats(a.v / b.v);
    }
};

/// The bits of N floats.
template <std::size_t N>
struct Words {
    using Vector = typename VectorTypes<N>::Words;
    using Halves = typename VectorTypes<N>::Halves;
    Vector v;

    [[gnu::always_inline]] Words() {}  // NOLINT
    [[gnu::always_inline]] Words(const Words& other) : v(other.v) {}
    [[gnu::always_inline]] explicit Words(const Vector& vector) : v(vector) {}
    [[gnu::always_inline]] Words(std::uint32_t all) {
        for (std::size_t i = 0; i < N; ++i) v[i] = all;
    }
    [[gnu::always_inline]] Words& operator=(const Words& other) {
        v = other.v;
        return *this;
    }

    [[gnu::always_inline]] void store(std::uint32_t* to) const { std::memcpy(to, &v, sizeof v); }
    /// N numbers of 16 bits.
    [[gnu::always_inline]] static Words load16(const void* from) {
        Halves halves;
        std::memcpy(&halves, from, sizeof halves);
        return Words(__builtin_convertvector(halves, Vector));
    }
    [[gnu::always_inline]] void store16(void* to) const {
        const Halves halves = __builtin_convertvector(v, Halves);
        std::memcpy(to, &halves, sizeof halves);
    }

    /// store16 past the caches, which then need not read what is overwritten. `to` is aligned to 16 bytes.
    [[gnu::always_inline]] void stream16(void* to) const {
#if defined(__x86_64__)
        if constexpr (N >= 8) {
            const Halves halves = __builtin_convertvector(v, Halves);
            __m128i parts[N / 8];
            std::memcpy(parts, &halves, sizeof halves);
            for (std::size_t i = 0; i != N / 8; ++i)
                _mm_stream_si128(static_cast<__m128i*>(to) + i, parts[i]);
            return;
        }
#endif
        store16(to);
    }

    [[gnu::always_inline]] Floats<N> as_floats() const {
        Floats<N> result;
        std::memcpy(&result.v, &v, sizeof v);
        return result;
    }

    [[gnu::always_inline]] friend Words operator+(const Words& a, const Words& b) { return Words(a.v + b.v); }
    [[gnu::always_inline]] friend Words operator-(const Words& a, const Words& b) { return Words(a.v - b.v); }
    [[gnu::always_inline]] friend Words operator&(const Words& a, const Words& b) { return Words(a.v & b.v); }
    [[gnu::always_inline]] friend Words operator|(const Words& a, const Words& b) { return Words(a.v | b.v); }
    [[gnu::always_inline]] friend Words operator^(const Words& a, const Words& b) { return Words(a.v ^ b.v); }
    [[gnu::always_inline]] friend Words operator<<(const Words& a, int by) { return Words(a.v << by); }
    [[gnu::always_inline]] friend Words operator>>(const Words& a, int by) { return Words(a.v >> by); }

    /// Lane by lane, a < limit ? below : otherwise. For values under 2^31, where signed and
    /// unsigned order agree (unsigned comparisons are several instructions before AVX-512).
    [[gnu::always_inline]] static Words if_less(const Words& a, std::uint32_t limit, const Words& below,
                                                const Words& otherwise) {
        using Signed = typename VectorTypes<N>::Integers;
        const Words bound(limit);
        const Vector chosen = (Vector)((Signed)a.v < (Signed)bound.v);  // all bits of a lane, or none
        return Words((below.v & chosen) | (otherwise.v & ~chosen));
    }
};

template <std::size_t N>
[[gnu::always_inline]] inline Words<N> Floats<N>::bits() const {
    Words<N> result;
    std::memcpy(&result.v, &v, sizeof v);
    return result;
}

// A vector square root has no operator, so these need their targets: functions of their own
// that are inlined into vectorised_avx2 and vectorised_avx512, which have the same.
template <std::size_t N>
inline void take_root(Floats<N>& x) {
    alignas(Floats<N>) float lanes[N];
    x.store(lanes);
    for (float& lane : lanes) lane = std::sqrt(lane);
    x = Floats<N>::load(lanes);
}
#if defined(__x86_64__)
inline void take_root(Floats<4>& x) { x.v = _mm_sqrt_ps(x.v); }
__attribute__((target("avx2"))) inline void take_root(Floats<8>& x) { x.v = _mm256_sqrt_ps(x.v); }
__attribute__((target("avx512f"))) inline void take_root(Floats<16>& x) {
    x.v = _mm512_maskz_sqrt_ps(0xffff, x.v);  // all lanes; GCC 12 warns of the plain one
}
#endif

/// Correctly rounded.
template <std::size_t N>
[[gnu::always_inline]] inline Floats<N> sqrt(const Floats<N>& x) {
    Floats<N> root(x);
    take_root(root);
    return root;
}

/// -1, 0 or 1 with the sign of x; a NaN stays one.
template <std::size_t N>
[[gnu::always_inline]] inline Floats<N> sign(const Floats<N>& x) {
    const Words<N> magnitude = x.bits() & 0x7fffffffu;
    const Words<N> one = (x.bits() & 0x80000000u) | 0x3f800000u;
    const Words<N> of_number = Words<N>::if_less(magnitude, 1u, x.bits(), one);
    return Words<N>::if_less(magnitude, 0x7f800001u, of_number, x.bits()).as_floats();
}

/// What was streamed is there for other threads, once they are told.
inline void stream_fence() {
#if defined(__x86_64__)
    _mm_sfence();
#endif
}

// ---- Which copy runs ----

inline InstructionSet best_instruction_set() {
#if defined(__x86_64__)
    // avx512dq, bw and vl came together; F alone (Knights Landing) is served as AVX2.
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return InstructionSet::avx512;
    if (__builtin_cpu_supports("avx2")) return InstructionSet::avx2;
#endif
    return InstructionSet::portable;
}

inline std::atomic<InstructionSet> instruction_set_in_use{best_instruction_set()};

inline InstructionSet instruction_set() { return instruction_set_in_use.load(std::memory_order_relaxed); }

inline void use_instruction_set(InstructionSet set) {
    const InstructionSet best = best_instruction_set();
    instruction_set_in_use.store(set < best ? set : best, std::memory_order_relaxed);
}

#if defined(__x86_64__)
template <typename Kernel>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl"))) void vectorised_avx512(const Kernel& kernel) {
    kernel(Lanes<16>{});
}
template <typename Kernel>
__attribute__((target("avx2"))) void vectorised_avx2(const Kernel& kernel) {
    kernel(Lanes<8>{});
}
#endif

template <typename Kernel>
void vectorised(const Kernel& kernel) {
#if defined(__x86_64__)
    if (instruction_set() == InstructionSet::avx512) return vectorised_avx512(kernel);
    if (instruction_set() == InstructionSet::avx2) return vectorised_avx2(kernel);
#endif
    kernel(Lanes<4>{});
}

}  // namespace dszero
