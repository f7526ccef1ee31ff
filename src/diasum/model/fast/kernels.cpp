// Element-wise pieces of a transformer block, each in one pass over its rows, for CPUs; `kernels.py` compiles and calls them.
//
// In: contiguous rows in fp32, or in bf16 where DIASUM_BF16 is defined. Out: rows of the same type; whatever is computed in between is
// fp32. Rows are shared out among threads, and no result depends on how.

#include <cstdint>
#include <cstring>

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

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

// GELU in its tanh form is x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)).
constexpr float GELU_SLOPE = 1.5957691216f, GELU_CUBE = 0.044715f;
inline float gelu_gate(float x) { return sigmoid(GELU_SLOPE * (x + GELU_CUBE * x * x * x)); }

// 64 random bits of a place in a sequence (the output function of SplitMix64: Steele, Lea and Flood, 2014).
inline uint64_t random_bits(uint64_t seed, uint64_t place) {
    uint64_t z = seed + (place + 1) * 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

constexpr int64_t CHUNK = 1024;  // elements that one thread handles at a time in flat arrays; four share 64 random bits

// Calls `use(begin, count, bits)` for chunks of `size` elements, `bits` having 16 random ones for each element.
template <typename Use>
inline void with_random_bits(int64_t size, uint64_t seed, int threads, Use use) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t begin = 0; begin < size; begin += CHUNK) {
        uint64_t drawn[CHUNK / 4];
        uint16_t bits[CHUNK];
        for (int64_t i = 0; i < CHUNK / 4; i++) drawn[i] = random_bits(seed, uint64_t(begin / 4 + i));
        std::memcpy(bits, drawn, sizeof(bits));
        use(begin, size - begin < CHUNK ? size - begin : CHUNK, bits);
    }
}

}  // namespace

extern "C" {

// out = x where 16 random bits are at least `threshold`, else 0.
void dropout(const Row *x, Row *out, int64_t size, uint64_t seed, uint16_t threshold, int threads) {
    with_random_bits(size, seed, threads, [=](int64_t begin, int64_t count, const uint16_t *bits) {
        const Row *from = x + begin;
        Row *to = out + begin;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            float value = get(from[i]);
            put(to[i], bits[i] >= threshold ? value : 0.0f);
        }
    });
}

// sum += x where `dropout` with the same seed keeps.
void dropout_add(Row *sum, const Row *x, int64_t size, uint64_t seed, uint16_t threshold, int threads) {
    with_random_bits(size, seed, threads, [=](int64_t begin, int64_t count, const uint16_t *bits) {
        const Row *from = x + begin;
        Row *to = sum + begin;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) {
            float value = get(from[i]);
            put(to[i], get(to[i]) + (bits[i] >= threshold ? value : 0.0f));
        }
    });
}

// out = x * scale * weight, scale = 1 / sqrt(mean(x^2) + eps) of each row.
void rms_norm(const Row *x, const Row *weight, Row *out, float *scales, int64_t rows, int64_t columns, float eps, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *in = x + row * columns;
        Row *to = out + row * columns;
        float squares = 0;
#pragma omp simd reduction(+ : squares)
        for (int64_t i = 0; i < columns; i++) squares += get(in[i]) * get(in[i]);
        float scale = 1.0f / __builtin_sqrtf(squares / float(columns) + eps);
        scales[row] = scale;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) put(to[i], get(in[i]) * scale * get(weight[i]));
    }
}

// The gradient of x: scale * g - x * scale^3 * mean(g x), g = grad * weight.
void rms_norm_backward(
    const Row *grad, const Row *x, const Row *weight, const float *scales, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *from = grad + row * columns, *in = x + row * columns;
        Row *to = out + row * columns;
        float along = 0, scale = scales[row];
#pragma omp simd reduction(+ : along)
        for (int64_t i = 0; i < columns; i++) along += get(from[i]) * get(weight[i]) * get(in[i]);
        along *= scale * scale * scale / float(columns);
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) put(to[i], get(from[i]) * get(weight[i]) * scale - get(in[i]) * along);
    }
}

// out = gelu(gate) * value; a row of x has `columns` gates and then as many values.
void gated_gelu(const Row *x, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *gates = x + row * 2 * columns, *values = gates + columns;
        Row *to = out + row * columns;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            float gate = get(gates[i]);
            put(to[i], gate * gelu_gate(gate) * get(values[i]));
        }
    }
}

void gated_gelu_backward(const Row *grad, const Row *x, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *from = grad + row * columns, *gates = x + row * 2 * columns, *values = gates + columns;
        Row *to_gates = out + row * 2 * columns, *to_values = to_gates + columns;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) {
            float gate = get(gates[i]), share = gelu_gate(gate), active = gate * share, g = get(from[i]);
            float slope = share + active * (1.0f - share) * GELU_SLOPE * (1.0f + 3.0f * GELU_CUBE * gate * gate);
            put(to_gates[i], g * get(values[i]) * slope);
            put(to_values[i], g * active);
        }
    }
}

// Cross-entropy of each row of logits and, in the place of the logits, its gradient.
void cross_entropy(
    Row *logits, const int64_t *labels, float *losses, int64_t rows, int64_t columns, float smoothing, int threads) {
    const float uniform = smoothing / float(columns);
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        Row *x = logits + row * columns;
        const int64_t label = labels[row];
        const float target = get(x[label]);
        float largest = get(x[0]), sum = 0, exponentials = 0;
#pragma omp simd reduction(max : largest) reduction(+ : sum)
        for (int64_t i = 0; i < columns; i++) {
            float value = get(x[i]);
            largest = value > largest ? value : largest;
            sum += value;
        }
#pragma omp simd reduction(+ : exponentials)
        for (int64_t i = 0; i < columns; i++) exponentials += exponential(get(x[i]) - largest);
        const float log_sum = largest + __builtin_logf(exponentials);
        losses[row] = log_sum - (1.0f - smoothing) * target - uniform * sum;
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) put(x[i], exponential(get(x[i]) - log_sum) - uniform);
        put(x[label], exponential(target - log_sum) - uniform - (1.0f - smoothing));
    }
}

}  // extern "C"
