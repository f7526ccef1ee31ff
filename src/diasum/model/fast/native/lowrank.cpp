// Low-rank updates (LoRA): `lora` and `lora_backward` of `kernels.py`. Four rows at a time, in fp32, in buffers whose rows are `wide` apart, a
// whole number of vectors. No result depends on the number of threads.

#include "rows.h"

namespace {

constexpr int64_t ROWS = 4;

// 32 random bits of a place in the sequence of a seed: multiplications and shifts that mix every bit of the three words into every
// bit, as in the finaliser of MurmurHash3 (Appleby, 2011), whose constants these are. Vector units multiply 32 bits, not all 64.
inline uint32_t random_bits(uint64_t seed, uint32_t place) {
    uint32_t z = place * 0x9e3779b9u + uint32_t(seed);
    z = (z ^ (z >> 16)) * 0x85ebca6bu + uint32_t(seed >> 32);
    z = (z ^ (z >> 13)) * 0xc2b2ae35u;
    return z ^ (z >> 16);
}

// What is dropped of rows with `columns` elements: those with fewer of 16 random bits than `threshold`. Two neighbours share 32 bits.
struct Dropout {
    uint64_t seed;
    uint16_t threshold;
    int64_t columns;

    // 1 for each element of row `row` that stays, 0 for the others.
    void kept(int64_t row, float *out) const {
        constexpr int64_t CHUNK = 256;
        uint32_t drawn[CHUNK];
        uint16_t bits[2 * CHUNK];
        const uint64_t of = seed;
        const uint16_t least = threshold;
        for (int64_t begin = 0; begin < columns; begin += 2 * CHUNK) {
            const uint32_t first = uint32_t(row * ((columns + 1) / 2) + begin / 2);
#pragma omp simd
            for (int32_t i = 0; i < int32_t(CHUNK); i++) drawn[i] = random_bits(of, first + uint32_t(i));
            std::memcpy(bits, drawn, sizeof(bits));
            const int64_t count = columns - begin < 2 * CHUNK ? columns - begin : 2 * CHUNK;
            float *to = out + begin;
#pragma omp simd
            for (int64_t i = 0; i < count; i++) to[i] = bits[i] >= least ? 1.0f : 0.0f;
        }
    }
};

// Up to four rows; those that are not there, and what is beyond a row's end, stay or become 0.
inline void read(const Row *from, int64_t stride, int64_t count, int64_t columns, float *to, int64_t wide) {
    for (int64_t j = 0; j < ROWS; j++, from += stride, to += wide) {
        if (j < count) {
#pragma omp simd
            for (int64_t i = 0; i < columns; i++) to[i] = get(from[i]);
        } else {
            for (int64_t i = 0; i < columns; i++) to[i] = 0;
        }
    }
}

inline void add(const float *values, int64_t wide, float scale, int64_t count, int64_t columns, Row *to, int64_t stride) {
    for (int64_t j = 0; j < count; j++, values += wide, to += stride) {
#pragma omp simd
        for (int64_t i = 0; i < columns; i++) put(to[i], get(to[i]) + scale * values[i]);
    }
}

// sums (4, rank) = rows (4, wide) factors' (wide, rank)
inline void down(const float *rows, const float *factors, float *sums, int64_t wide, int64_t rank) {
    for (int64_t k = 0; k < rank; k += 2) {
        const float *f = factors + k * wide, *g = k + 1 < rank ? f + wide : f;
        Lanes of_f[ROWS] = {}, of_g[ROWS] = {};
        for (int64_t i = 0; i < wide; i += LANES) {
            const Lanes at_f = load(f + i), at_g = load(g + i);
            for (int64_t j = 0; j < ROWS; j++) {
                const Lanes values = load(rows + j * wide + i);
                of_f[j] += values * at_f;
                of_g[j] += values * at_g;
            }
        }
        for (int64_t j = 0; j < ROWS; j++) {
            float sum_f = 0, sum_g = 0;
            for (int64_t l = 0; l < LANES; l++) sum_f += of_f[j][l], sum_g += of_g[j][l];
            sums[j * rank + k] = sum_f;
            if (k + 1 < rank) sums[j * rank + k + 1] = sum_g;
        }
    }
}

// rows (4, wide) = inner (4, rank) factors (rank, wide)
inline void up(const float *inner, const float *factors, float *rows, int64_t wide, int64_t rank) {
    for (int64_t i = 0; i < wide; i += LANES) {
        Lanes sums[ROWS] = {};
        for (int64_t k = 0; k < rank; k++) {
            const Lanes factor = load(factors + k * wide + i);
            for (int64_t j = 0; j < ROWS; j++) sums[j] += inner[j * rank + k] * factor;
        }
        for (int64_t j = 0; j < ROWS; j++) store(rows + j * wide + i, sums[j]);
    }
}

// grad (rank, wide) += inner' (rank, 4) rows (4, wide)
inline void add_outer(const float *inner, const float *rows, float *grad, int64_t wide, int64_t rank) {
    for (int64_t i = 0; i < wide; i += LANES) {
        Lanes values[ROWS];
        for (int64_t j = 0; j < ROWS; j++) values[j] = load(rows + j * wide + i);
        for (int64_t k = 0; k < rank; k++) {
            Lanes sum = load(grad + k * wide + i);
            for (int64_t j = 0; j < ROWS; j++) sum += inner[j * rank + k] * values[j];
            store(grad + k * wide + i, sum);
        }
    }
}

// Copies a (rank, columns) matrix with `first` and `second` elements from one to the next of each into rows of whole vectors.
void widen(const float *from, int64_t first, int64_t second, int64_t rank, int64_t columns, const Buffer &to) {
    for (int64_t k = 0; k < rank; k++)
        for (int64_t i = 0; i < columns; i++) to[k * whole(columns) + i] = from[k * first + i * second];
}

}  // namespace

extern "C" {

// inner = dropout(x) a'; out += scale * inner b'. x (rows, in) and out (rows, outs) have `..._stride` elements from row to row, a is
// (rank, in), b (outs, rank), inner (rows, rank).
void lora(
    const Row *x, int64_t x_stride, const float *a, const float *b, float *inner, Row *out, int64_t out_stride, int64_t rows, int64_t in,
    int64_t outs, int64_t rank, float scale, uint64_t seed, uint16_t threshold, int threads) {
    const Dropout dropout{seed, threshold, in};
    const int64_t wide = whole(in), wide_out = whole(outs);
    const Buffer as(rank * wide), bs(rank * wide_out);
    widen(a, in, 1, rank, in, as);
    widen(b, 1, rank, rank, outs, bs);
#pragma omp parallel num_threads(threads)
    {
        Buffer values(ROWS * wide), mask(in), sums(ROWS * rank), added(ROWS * wide_out);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; row += ROWS) {
            const int64_t count = rows - row < ROWS ? rows - row : ROWS;
            read(x + row * x_stride, x_stride, count, in, values.at(), wide);
            for (int64_t j = 0; threshold && j < count; j++) {
                dropout.kept(row + j, mask.at());
                float *here = values.at(j * wide);
                for (int64_t i = 0; i < in; i++) here[i] *= mask[i];
            }
            down(values.at(), as.at(), sums.at(), wide, rank);
            std::memcpy(inner + row * rank, sums.at(), sizeof(float) * size_t(count * rank));
            up(sums.at(), bs.at(), added.at(), wide_out, rank);
            add(added.at(), wide_out, scale, count, outs, out + row * out_stride, out_stride);
        }
    }
}

// With gi = scale * grad b: grad_a = gi' dropout(x), grad_b = scale * grad' inner, and, unless it is null, grad_x += dropout(gi a). Sums
// over rows are made in groups of them that depend on their number only.
void lora_backward(
    const Row *grad, int64_t grad_stride, const Row *x, int64_t x_stride, const float *inner, const float *a, const float *b,
    float *grad_a, float *grad_b, Row *grad_x, int64_t grad_x_stride, int64_t rows, int64_t in, int64_t outs, int64_t rank, float scale,
    uint64_t seed, uint16_t threshold, int threads) {
    const Dropout dropout{seed, threshold, in};
    const int64_t wide = whole(in), wide_out = whole(outs), of_a = rank * wide, of_b = rank * wide_out;
    const Buffer as(rank * wide), bs(rank * wide_out);
    widen(a, in, 1, rank, in, as);
    widen(b, 1, rank, rank, outs, bs);
    const int64_t groups = rows < 64 ? 1 : rows < 1024 ? rows / 64 : 16;
    const int64_t share = (rows + groups * ROWS - 1) / (groups * ROWS) * ROWS;
    float *sums = new float[size_t(groups * (of_a + of_b))];
#pragma omp parallel num_threads(threads)
    {
        Buffer from(ROWS * wide_out), values(ROWS * wide), masks(ROWS * wide), given(ROWS * rank), back(ROWS * rank), added(ROWS * wide);
        Buffer sum(of_a + of_b);
#pragma omp for schedule(static)
        for (int64_t group = 0; group < groups; group++) {
            const int64_t end = (group + 1) * share < rows ? (group + 1) * share : rows;
            std::memset(sum.at(), 0, sizeof(float) * size_t(of_a + of_b));
            for (int64_t row = group * share; row < end; row += ROWS) {
                const int64_t count = end - row < ROWS ? end - row : ROWS;
                read(grad + row * grad_stride, grad_stride, count, outs, from.at(), wide_out);
                down(from.at(), bs.at(), back.at(), wide_out, rank);
                for (int64_t i = 0; i < ROWS * rank; i++) back[i] *= scale;
                for (int64_t i = 0; i < ROWS * rank; i++) given[i] = i < count * rank ? scale * inner[row * rank + i] : 0;
                add_outer(given.at(), from.at(), sum.at(of_a), wide_out, rank);
                read(x + row * x_stride, x_stride, count, in, values.at(), wide);
                for (int64_t j = 0; threshold && j < count; j++) {
                    float *mask = masks.at(j * wide), *here = values.at(j * wide);
                    dropout.kept(row + j, mask);
                    for (int64_t i = 0; i < in; i++) here[i] *= mask[i];
                }
                add_outer(back.at(), values.at(), sum.at(), wide, rank);
                if (grad_x) {
                    up(back.at(), as.at(), added.at(), wide, rank);
                    for (int64_t i = 0; threshold && i < ROWS * wide; i++) added[i] *= masks[i];
                    add(added.at(), wide, 1.0f, count, in, grad_x + row * grad_x_stride, grad_x_stride);
                }
            }
            std::memcpy(sums + group * (of_a + of_b), sum.at(), sizeof(float) * size_t(of_a + of_b));
        }
#pragma omp for schedule(static)
        for (int64_t i = 0; i < of_a + of_b; i += LANES) {
            Lanes total = {};
            for (int64_t group = 0; group < groups; group++) total += load(sums + group * (of_a + of_b) + i);
            store(sums + i, total);
        }
    }
    for (int64_t k = 0; k < rank; k++) std::memcpy(grad_a + k * in, sums + k * wide, sizeof(float) * size_t(in));
    for (int64_t i = 0; i < outs; i++)
        for (int64_t k = 0; k < rank; k++) grad_b[i * rank + k] = sums[of_a + k * wide_out + i];
    delete[] sums;
}

}  // extern "C"
