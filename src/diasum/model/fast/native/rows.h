// What the kernels share: rows of tokens in fp32 or bf16, read as fp32 one by one or LANES at a time; e^x; sums; buffers.

#pragma once

#include <cstdint>
#include <cstring>
#include <new>
#include <utility>

#ifdef __AVX__
#include <immintrin.h>
#endif

namespace {

struct bf16 {
    uint16_t bits;
};

#ifdef DIASUM_BF16
using Row = bf16;
#else
using Row = float;
#endif

// ---- vectors: what is written for `auto` numbers below is computed for one or for LANES of them ----

#if defined(__AVX512F__)
constexpr int64_t LANES = 16;
#elif defined(__AVX__)
constexpr int64_t LANES = 8;
#else
constexpr int64_t LANES = 4;
#endif
typedef float Lanes __attribute__((vector_size(LANES * 4), aligned(4), may_alias));
typedef uint32_t Words __attribute__((vector_size(LANES * 4), aligned(2), may_alias));
typedef uint16_t Halves __attribute__((vector_size(LANES * 2), aligned(2), may_alias));

template <typename To, typename From>
inline To bits_of(From value) {
    static_assert(sizeof(To) == sizeof(From));
    To out;
    std::memcpy(&out, &value, sizeof(out));
    return out;
}
// Between 16 and 32 bits; GCC 12 has more instructions for it than these where it makes its own.
inline Words widened(Halves halves) {
#if defined(__AVX512F__)
    return Words(_mm512_cvtepu16_epi32(__m256i(halves)));
#elif defined(__AVX2__)
    return Words(_mm256_cvtepu16_epi32(__m128i(halves)));
#else
    return __builtin_convertvector(halves, Words);
#endif
}
inline Halves narrowed(Words words) {  // of words below 2^16
#if defined(__AVX512F__)
    return Halves(_mm512_cvtepi32_epi16(__m512i(words)));
#elif defined(__AVX2__)
    const __m256i packed = _mm256_packus_epi32(__m256i(words), __m256i(words));
    return Halves(_mm256_castsi256_si128(_mm256_permute4x64_epi64(packed, 0x08)));
#else
    return __builtin_convertvector(words, Halves);
#endif
}

inline uint32_t bits(float value) { return bits_of<uint32_t>(value); }
inline Words bits(Lanes values) { return bits_of<Words>(values); }

template <typename Number>
inline Number all(float value) {
    return value + Number{};
}

inline Lanes load(const float *from) { return *reinterpret_cast<const Lanes *>(from); }
inline void store(float *to, Lanes values) { *reinterpret_cast<Lanes *>(to) = values; }
inline int64_t up_to(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }
inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// f(place, number) for LANES of `count` places at a time, then one by one; `number` tells f how many.
template <typename Function>
inline __attribute__((always_inline)) void each(int64_t count, Function f) {
    int64_t i = 0;
    for (; i + LANES <= count; i += LANES) f(i, Lanes{});
    for (; i < count; i++) f(i, 0.0f);
}

template <size_t STEP, size_t... LANE>
inline Lanes across(Lanes values, std::index_sequence<LANE...>) {  // each lane's partner, STEP away
    return __builtin_shuffle(values, Words{uint32_t(LANE ^ STEP)...});
}

// One number from the lanes, by f of two at a time.
template <size_t STEP = LANES / 2, typename Function>
inline float folded(Lanes values, Function f) {
    values = f(values, across<STEP>(values, std::make_index_sequence<LANES>()));
    if constexpr (STEP > 1)
        return folded<STEP / 2>(values, f);
    else
        return values[0];
}

class Sum {
  public:
    void add(Lanes values) { lanes_ += values; }
    void add(float value) { rest_ += value; }
    float total() const {
        return rest_ + folded(lanes_, [](Lanes a, Lanes b) { return a + b; });
    }

  private:
    Lanes lanes_ = {};
    float rest_ = 0;
};

class Largest {
  public:
    void add(Lanes values) { lanes_ = values > lanes_ ? values : lanes_; }
    void add(float value) { rest_ = value > rest_ ? value : rest_; }
    float total() const {
        const float largest = folded(lanes_, [](Lanes a, Lanes b) { return a > b ? a : b; });
        return rest_ > largest ? rest_ : largest;
    }

  private:
    Lanes lanes_ = -__builtin_inff() + Lanes{};
    float rest_ = -__builtin_inff();
};

// ---- rows ----

inline float get(float value) { return value; }
inline float get(bf16 value) { return bits_of<float>(uint32_t(value.bits) << 16); }
inline Lanes get_lanes(const float *from) { return load(from); }
inline Lanes get_lanes(const bf16 *from) {
    return bits_of<Lanes>(widened(*reinterpret_cast<const Halves *>(from)) << 16);
}

template <typename Number, typename From>
inline Number get(const From *from) {
    if constexpr (sizeof(Number) == sizeof(Lanes))
        return get_lanes(from);
    else
        return get(*from);
}

inline void put(float *to, float value) { *to = value; }
inline void put(float *to, Lanes values) { store(to, values); }

// To nearest, ties to even, as torch rounds; rounding the bits of a NaN could make it a number.
template <typename Number>
inline auto rounded(Number value) {
    const auto all = bits(value), up = (all + 0x7fffu + ((all >> 16) & 1u)) >> 16;
    return value == value ? up : up * 0 + 0x7fc0u;
}
inline void put(bf16 *to, float value) { to->bits = uint16_t(rounded(value)); }
inline void put(bf16 *to, Lanes values) {
#ifdef __AVX512BF16__
    *reinterpret_cast<Halves *>(to) = Halves(_mm512_cvtneps_pbh(__m512(values)));
#else
    *reinterpret_cast<Halves *>(to) = narrowed(rounded(values));
#endif
}

// e^x to 2 units in the last place, 0 below -87, NaN for NaN. x = n ln 2 + r; n goes into the exponent, e^r is its Taylor series. Adding
// 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits.
template <typename Number>
inline Number exponential(Number x) {
    const Number most = all<Number>(88.0f), none = {};
    const Number bounded = x > most ? most : x;
    const Number shifted = bounded * 1.44269504f + 12582912.0f;
    const Number n = shifted - 12582912.0f;
    const Number r = bounded - n * 0.693145752f - n * 1.42860677e-6f;
    const Number r2 = r * r, low = (1.0f + r) + r2 * (1.0f / 2 + r * (1.0f / 6));  // halves: a short chain of operations
    const Number high = (1.0f / 24 + r * (1.0f / 120)) + r2 * (1.0f / 720 + r * (1.0f / 5040));
    const Number series = low + r2 * r2 * high;
    const Number power = bits_of<Number>((bits(shifted) << 23) + 0x3f800000u);
    return bounded < -87.0f ? none : series * power;
}

// Numbers whose vectors do not cross cache lines, which would halve the speed of the loops; zeros at first.
template <typename T>
class Store {
  public:
    explicit Store(int64_t size) : data_(new (std::align_val_t(64)) T[size_t(size)]()) {}
    Store(const Store &) = delete;
    ~Store() { ::operator delete[](data_, std::align_val_t(64)); }
    T *at(int64_t i = 0) const { return data_ + i; }
    T &operator[](int64_t i) const { return data_[i]; }

  private:
    T *data_;
};
using Buffer = Store<float>;

}  // namespace
