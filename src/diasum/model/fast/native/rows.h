// What the kernels share: rows of tokens in fp32 or bf16 read as fp32, e^x, vectors and buffers of fp32.

#pragma once

#include <cstdint>
#include <cstring>
#include <new>

namespace {

struct bf16 {
    uint16_t bits;
};

#ifdef DIASUM_BF16
using Row = bf16;
#else
using Row = float;
#endif

template <typename To, typename From>
inline To bits_of(From value) {
    To out;
    std::memcpy(&out, &value, sizeof(out));
    return out;
}

inline float get(float value) { return value; }
inline float get(bf16 value) { return bits_of<float>(uint32_t(value.bits) << 16); }

inline void put(float &to, float value) { to = value; }
inline void put(bf16 &to, float value) {  // to nearest, ties to even, as torch rounds
    uint32_t bits = bits_of<uint32_t>(value);
    uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
    to.bits = uint16_t((bits & 0x7fffffffu) > 0x7f800000u ? 0x7fc0u : rounded);  // rounding could make a NaN a number
}

// e^x to 2 units in the last place, 0 below -87, NaN for NaN. x = n ln 2 + r; n goes into the exponent, e^r is its Taylor series. Adding
// 1.5 * 2^23 rounds to a whole number, which then stands in the lowest bits.
inline float exponential(float x) {
    const float round = 12582912.0f;
    float bounded = x > 88.0f ? 88.0f : x;
    float shifted = bounded * 1.44269504f + round;
    float n = shifted - round;
    float r = bounded - n * 0.693145752f - n * 1.42860677e-6f;
    float series = 1.0f + r * (1.0f + r * (1.0f / 2 + r * (1.0f / 6 + r * (1.0f / 24 + r * (1.0f / 120 + r * (1.0f / 720 + r / 5040))))));
    float power = bits_of<float>((bits_of<uint32_t>(shifted) << 23) + 0x3f800000u);
    return bounded < -87.0f ? 0.0f : series * power;
}

// ---- vectors ----

#if defined(__AVX512F__)
constexpr int64_t LANES = 16;
#elif defined(__AVX__)
constexpr int64_t LANES = 8;
#else
constexpr int64_t LANES = 4;
#endif
typedef float Lanes __attribute__((vector_size(LANES * sizeof(float)), aligned(4), may_alias));

// Numbers whose vectors do not cross cache lines, which would halve the speed of the loops below.
class Buffer {
  public:
    explicit Buffer(int64_t size) : data_(new (std::align_val_t(64)) float[size_t(size)]()) {}
    Buffer(const Buffer &) = delete;
    ~Buffer() { ::operator delete[](data_, std::align_val_t(64)); }
    float *at(int64_t i = 0) const { return data_ + i; }
    float &operator[](int64_t i) const { return data_[i]; }

  private:
    float *data_;
};

inline Lanes load(const float *from) { return *reinterpret_cast<const Lanes *>(from); }
inline void store(float *to, Lanes values) { *reinterpret_cast<Lanes *>(to) = values; }
inline int64_t whole(int64_t columns) { return (columns + LANES - 1) / LANES * LANES; }

}  // namespace
