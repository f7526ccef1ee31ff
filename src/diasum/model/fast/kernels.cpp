// The functions of `kernels.py`, each in as few passes over its rows as can be, for CPUs; `compiled.py` compiles and calls them.
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

// 32 random bits of a place in the sequence of a seed: multiplications and shifts that mix every bit of the three words into every
// bit, as in the finaliser of MurmurHash3 (Appleby, 2011), whose constants these are. Vector units multiply 32 bits, not all 64.
inline uint32_t random_bits(uint64_t seed, uint32_t place) {
    uint32_t z = place * 0x9e3779b9u + uint32_t(seed);
    z = (z ^ (z >> 16)) * 0x85ebca6bu + uint32_t(seed >> 32);
    z = (z ^ (z >> 13)) * 0xc2b2ae35u;
    return z ^ (z >> 16);
}

constexpr int64_t CHUNK = 512;  // columns worked on at a time, an even number

// What is dropped: an element with fewer of 16 random bits than `threshold`. Two neighbours in a row share 32 bits.
struct Dropout {
    uint64_t seed;
    uint16_t threshold;
    int64_t columns;

    // Puts 0 for what is dropped of `count` values, at most CHUNK, of row `row` from column `begin` on, an even number.
    void apply(float *values, int64_t row, int64_t begin, int64_t count) const {
        uint32_t drawn[CHUNK / 2];
        uint16_t bits[CHUNK];
        const uint32_t first = uint32_t(row * ((columns + 1) / 2) + begin / 2);
        const uint64_t of = seed;
        const uint16_t least = threshold;
#pragma omp simd
        for (int32_t i = 0; i < int32_t(count + 1) / 2; i++) drawn[i] = random_bits(of, first + uint32_t(i));
        std::memcpy(bits, drawn, sizeof(uint32_t) * size_t((count + 1) / 2));
#pragma omp simd
        for (int64_t i = 0; i < count; i++) values[i] = bits[i] >= least ? values[i] : 0.0f;
    }

    // The same of rows in memory.
    void read(const Row *x, float *out, int64_t row, int64_t begin, int64_t count) const {
#pragma omp simd
        for (int64_t i = 0; i < count; i++) out[i] = get(x[i]);
        if (threshold) apply(out, row, begin, count);
    }
};

}  // namespace

extern "C" {

// inner = dropout(x) factors'; x (rows, columns) with `stride` elements from row to row, factors (rank, columns), inner (rows, rank).
void down(
    const Row *x, int64_t stride, const float *factors, float *inner, int64_t rows, int64_t columns, int64_t rank, uint64_t seed,
    uint16_t threshold, int threads) {
    const Dropout dropout{seed, threshold, columns};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row += 2) {
        const int64_t pair = row + 1 < rows ? 2 : 1;  // two rows and four factors at a time keep the multipliers busy
        float values[2][CHUNK] = {}, *to = inner + row * rank;
        for (int64_t k = 0; k < pair * rank; k++) to[k] = 0;
        for (int64_t begin = 0; begin < columns; begin += CHUNK) {
            const int64_t count = columns - begin < CHUNK ? columns - begin : CHUNK;
            for (int64_t j = 0; j < pair; j++)
                dropout.read(x + (row + j) * stride + begin, values[j], row + j, begin, count);
            for (int64_t k = 0; k < rank; k += 4) {
                const float *f[4];
                for (int64_t l = 0; l < 4; l++) f[l] = factors + (k + l < rank ? k + l : k) * columns + begin;
                float a0 = 0, a1 = 0, a2 = 0, a3 = 0, b0 = 0, b1 = 0, b2 = 0, b3 = 0;
#pragma omp simd reduction(+ : a0, a1, a2, a3, b0, b1, b2, b3)
                for (int64_t i = 0; i < count; i++) {
                    const float a = values[0][i], b = values[1][i];
                    a0 += a * f[0][i], a1 += a * f[1][i], a2 += a * f[2][i], a3 += a * f[3][i];
                    b0 += b * f[0][i], b1 += b * f[1][i], b2 += b * f[2][i], b3 += b * f[3][i];
                }
                const float sums[2][4] = {{a0, a1, a2, a3}, {b0, b1, b2, b3}};
                for (int64_t j = 0; j < pair; j++)
                    for (int64_t l = 0; l < 4 && k + l < rank; l++) to[j * rank + k + l] += sums[j][l];
            }
        }
    }
}

// out += scale * dropout(inner factors); shapes as in `down`, out with `stride`.
void up(
    Row *out, int64_t stride, const float *inner, const float *factors, int64_t rows, int64_t columns, int64_t rank, float scale,
    uint64_t seed, uint16_t threshold, int threads) {
    const Dropout dropout{seed, threshold, columns};
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const float *by = inner + row * rank;
        for (int64_t begin = 0; begin < columns; begin += CHUNK) {
            const int64_t count = columns - begin < CHUNK ? columns - begin : CHUNK;
            float values[CHUNK] = {};
            int64_t k = 0;
            for (; k + 4 <= rank; k += 4) {
                const float *a = factors + k * columns + begin, *b = a + columns, *c = b + columns, *d = c + columns;
                const float by_a = by[k], by_b = by[k + 1], by_c = by[k + 2], by_d = by[k + 3];
#pragma omp simd
                for (int64_t i = 0; i < count; i++) values[i] += by_a * a[i] + by_b * b[i] + by_c * c[i] + by_d * d[i];
            }
            for (; k < rank; k++) {
                const float *a = factors + k * columns + begin, by_a = by[k];
#pragma omp simd
                for (int64_t i = 0; i < count; i++) values[i] += by_a * a[i];
            }
            if (threshold) dropout.apply(values, row, begin, count);
            Row *to = out + row * stride + begin;
#pragma omp simd
            for (int64_t i = 0; i < count; i++) put(to[i], get(to[i]) + scale * values[i]);
        }
    }
}

// grad = inner' dropout(x), (rank, columns); shapes as in `down`. Threads share out columns, so that the order of the sums stays.
void outer(
    const float *inner, const Row *x, int64_t stride, float *grad, int64_t rows, int64_t columns, int64_t rank, uint64_t seed,
    uint16_t threshold, int threads) {
    const Dropout dropout{seed, threshold, columns};
    const int64_t shares = (columns + CHUNK * threads - 1) / (CHUNK * threads) * threads;  // equally many for each thread
    const int64_t width = ((columns + shares - 1) / shares + 63) / 64 * 64;
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t begin = 0; begin < columns; begin += width) {
        const int64_t count = columns - begin < width ? columns - begin : width;
        for (int64_t k = 0; k < rank; k++)
            for (int64_t i = 0; i < count; i++) grad[k * columns + begin + i] = 0;
        float values[4][CHUNK];
        int64_t row = 0;
        for (; row + 4 <= rows; row += 4) {
            for (int64_t j = 0; j < 4; j++) dropout.read(x + (row + j) * stride + begin, values[j], row + j, begin, count);
            const float *by = inner + row * rank;
            for (int64_t k = 0; k < rank; k++) {
                const float a = by[k], b = by[rank + k], c = by[2 * rank + k], d = by[3 * rank + k];
                float *to = grad + k * columns + begin;
#pragma omp simd
                for (int64_t i = 0; i < count; i++)
                    to[i] += a * values[0][i] + b * values[1][i] + c * values[2][i] + d * values[3][i];
            }
        }
        for (; row < rows; row++) {
            dropout.read(x + row * stride + begin, values[0], row, begin, count);
            for (int64_t k = 0; k < rank; k++) {
                const float a = inner[row * rank + k];
                float *to = grad + k * columns + begin;
#pragma omp simd
                for (int64_t i = 0; i < count; i++) to[i] += a * values[0][i];
            }
        }
    }
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
