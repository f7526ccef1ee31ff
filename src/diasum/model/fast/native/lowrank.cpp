// Low-rank updates (LoRA): `lora` and `lora_backward` of `kernels.py`. ROWS at a time, in fp32, in buffers whose rows are `wide` apart, a
// whole number of vectors; a CHUNK of their columns at a time, whose factors stay in the first cache. No result depends on the number of
// threads.

#include "rows.h"

namespace {

constexpr int64_t ROWS = 8, CHUNK = 16 * LANES;
constexpr int64_t FOUR = 4, SOME = LANES == 16 ? 4 : 2;  // rows and ranks whose sums, or factors, are in registers at a time

inline int64_t whole(int64_t columns) { return up_to(columns, 2 * LANES); }

// 32 random bits for each of LANES places in the sequence of a seed: multiplications and shifts that mix every bit of the three words into
// every bit, as in the finaliser of MurmurHash3 (Appleby, 2011), whose constants these are. Vector units multiply 32 bits, not all 64.
inline Words random_bits(uint64_t seed, uint32_t place) {
    const uint32_t odd = 0x9e3779b9u;
    Words steps;
    for (uint32_t i = 0; i < LANES; i++) steps[i] = i * odd;
    Words z = steps + (place * odd + uint32_t(seed));
    z = (z ^ (z >> 16)) * 0x85ebca6bu + uint32_t(seed >> 32);
    z = (z ^ (z >> 13)) * 0xc2b2ae35u;
    return z ^ (z >> 16);
}

// What is dropped of rows with `columns` elements: those with fewer of 16 random bits than `threshold`. Two neighbours share 32 bits.
struct Dropout {
    uint64_t seed;
    uint16_t threshold;
    int64_t columns;

    // 1 for each element of a row that stays, 0 for the others; to be called for rows of which something is dropped.
    void kept(int64_t row, float *out) const {
        const uint32_t first = uint32_t(row * ((columns + 1) / 2));
        for (int64_t i = 0; i < columns; i += 2 * LANES) {
            const Words drawn = random_bits(seed, first + uint32_t(i / 2));
            Halves halves[2];
            std::memcpy(halves, &drawn, sizeof(drawn));
            for (int64_t h = 0; h < 2; h++) {
                typedef int32_t Signed __attribute__((vector_size(LANES * 4)));  // vector units compare signed numbers
                const Words stays = Words(Signed(widened(halves[h])) >= int32_t(threshold));
                store(out + i + h * LANES, bits_of<Lanes>(stays & bits(1.0f)));
            }
        }
    }
};

// values *= by; both of whole vectors
inline void multiply(float *values, const float *by, int64_t count) {
    for (int64_t i = 0; i < count; i += LANES) store(values + i, load(values + i) * load(by + i));
}

// ROWS rows or fewer; those that are not there, and what is beyond a row's end, stay or become 0.
inline void read(const Row *from, int64_t stride, int64_t count, int64_t columns, float *to, int64_t wide) {
    for (int64_t j = 0; j < ROWS; j++, from += stride, to += wide) {
        if (j < count)
            each(columns, [&](int64_t i, auto like) { put(to + i, get<decltype(like)>(from + i)); });
        else
            std::memset(to, 0, sizeof(float) * size_t(columns));
    }
}

inline void add(const float *values, int64_t wide, float scale, int64_t count, int64_t columns, Row *to, int64_t stride) {
    for (int64_t j = 0; j < count; j++, values += wide, to += stride)
        each(columns, [&](int64_t i, auto like) {
            using Number = decltype(like);
            put(to + i, get<Number>(to + i) + scale * get<Number>(values + i));
        });
}

// f(first column, end, first row, first rank) for all of them; ranks are padded to SOME.
template <typename Function>
inline void by_chunks(int64_t wide, int64_t ranks, Function f) {
    for (int64_t begin = 0; begin < wide; begin += CHUNK)
        for (int64_t k = 0; k < ranks; k += SOME)
            for (int64_t j = 0; j < ROWS; j += FOUR) f(begin, least(begin + CHUNK, wide), j, k);
}

// sums (ROWS, ranks, LANES), whose vectors are still to be summed, = rows (ROWS, wide) factors' (wide, ranks)
inline void down(const float *rows, const float *factors, float *sums, int64_t wide, int64_t ranks) {
    std::memset(sums, 0, sizeof(float) * size_t(ROWS * ranks * LANES));
    by_chunks(wide, ranks, [=](int64_t begin, int64_t end, int64_t row, int64_t rank) {
        Lanes here[FOUR][SOME];
        for (int64_t j = 0; j < FOUR; j++)
            for (int64_t k = 0; k < SOME; k++) here[j][k] = load(sums + ((row + j) * ranks + rank + k) * LANES);
        for (int64_t i = begin; i < end; i += LANES) {
            Lanes factor[SOME];
            for (int64_t k = 0; k < SOME; k++) factor[k] = load(factors + (rank + k) * wide + i);
            for (int64_t j = 0; j < FOUR; j++) {
                const Lanes value = load(rows + (row + j) * wide + i);
                for (int64_t k = 0; k < SOME; k++) here[j][k] += value * factor[k];
            }
        }
        for (int64_t j = 0; j < FOUR; j++)
            for (int64_t k = 0; k < SOME; k++) store(sums + ((row + j) * ranks + rank + k) * LANES, here[j][k]);
    });
}

// scale times the total of each of `count` vectors
inline void totals(const float *sums, int64_t count, float scale, float *to) {
    for (int64_t i = 0; i < count; i++) to[i] = scale * folded(load(sums + i * LANES), [](Lanes a, Lanes b) { return a + b; });
}

// rows (ROWS, wide) = inner (ROWS, ranks) factors (ranks, wide)
inline void up(const float *inner, const float *factors, float *rows, int64_t wide, int64_t ranks) {
    for (int64_t i = 0; i < wide; i += 2 * LANES)
        for (int64_t row = 0; row < ROWS; row += FOUR) {
            Lanes here[FOUR][2] = {};
            for (int64_t k = 0; k < ranks; k++) {
                const Lanes first = load(factors + k * wide + i), second = load(factors + k * wide + i + LANES);
                for (int64_t j = 0; j < FOUR; j++) {
                    const float value = inner[(row + j) * ranks + k];
                    here[j][0] += value * first;
                    here[j][1] += value * second;
                }
            }
            for (int64_t j = 0; j < FOUR; j++) {
                store(rows + (row + j) * wide + i, here[j][0]);
                store(rows + (row + j) * wide + i + LANES, here[j][1]);
            }
        }
}

// grad (ranks, wide) += inner' (ranks, ROWS) rows (ROWS, wide)
inline void add_outer(const float *inner, const float *rows, float *grad, int64_t wide, int64_t ranks) {
    by_chunks(wide, ranks, [=](int64_t begin, int64_t end, int64_t row, int64_t rank) {
        Lanes factor[FOUR][SOME];
        for (int64_t j = 0; j < FOUR; j++)
            for (int64_t k = 0; k < SOME; k++) factor[j][k] = all<Lanes>(inner[(row + j) * ranks + rank + k]);
        for (int64_t i = begin; i < end; i += LANES) {
            Lanes here[SOME];
            for (int64_t k = 0; k < SOME; k++) here[k] = load(grad + (rank + k) * wide + i);
            for (int64_t j = 0; j < FOUR; j++) {
                const Lanes value = load(rows + (row + j) * wide + i);
                for (int64_t k = 0; k < SOME; k++) here[k] += factor[j][k] * value;
            }
            for (int64_t k = 0; k < SOME; k++) store(grad + (rank + k) * wide + i, here[k]);
        }
    });
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
    const int64_t wide = whole(in), wide_out = whole(outs), ranks = up_to(rank, SOME);
    const Buffer as(ranks * wide), bs(ranks * wide_out);
    widen(a, in, 1, rank, in, as);
    widen(b, 1, rank, rank, outs, bs);
#pragma omp parallel num_threads(threads)
    {
        Buffer values(ROWS * wide), mask(wide), sums(ROWS * ranks * LANES), made(ROWS * ranks), added(ROWS * wide_out);
#pragma omp for schedule(static)
        for (int64_t row = 0; row < rows; row += ROWS) {
            const int64_t count = least(rows - row, ROWS);
            read(x + row * x_stride, x_stride, count, in, values.at(), wide);
            for (int64_t j = 0; threshold && j < count; j++) {
                dropout.kept(row + j, mask.at());
                multiply(values.at(j * wide), mask.at(), wide);
            }
            down(values.at(), as.at(), sums.at(), wide, ranks);
            totals(sums.at(), ROWS * ranks, 1, made.at());
            for (int64_t j = 0; j < count; j++) std::memcpy(inner + (row + j) * rank, made.at(j * ranks), sizeof(float) * size_t(rank));
            up(made.at(), bs.at(), added.at(), wide_out, ranks);
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
    const int64_t wide = whole(in), wide_out = whole(outs), ranks = up_to(rank, SOME), of_a = ranks * wide, of_b = ranks * wide_out;
    const Buffer as(of_a), bs(of_b);
    widen(a, in, 1, rank, in, as);
    widen(b, 1, rank, rank, outs, bs);
    const int64_t groups = rows < 64 ? 1 : rows < 1024 ? rows / 64 : 16;
    const int64_t share = up_to((rows + groups - 1) / groups, ROWS);
    const Buffer shares(groups * (of_a + of_b));
#pragma omp parallel num_threads(threads)
    {
        Buffer from(ROWS * wide_out), values(ROWS * wide), masks(ROWS * wide), added(ROWS * wide);
        Buffer sums(ROWS * ranks * LANES), given(ROWS * ranks), back(ROWS * ranks);
#pragma omp for schedule(static)
        for (int64_t group = 0; group < groups; group++) {
            float *to_a = shares.at(group * (of_a + of_b)), *to_b = to_a + of_a;
            for (int64_t row = group * share; row < least((group + 1) * share, rows); row += ROWS) {
                const int64_t count = least(rows - row, ROWS);
                read(grad + row * grad_stride, grad_stride, count, outs, from.at(), wide_out);
                down(from.at(), bs.at(), sums.at(), wide_out, ranks);
                totals(sums.at(), ROWS * ranks, scale, back.at());
                for (int64_t j = 0; j < ROWS; j++)
                    for (int64_t k = 0; k < rank; k++) given[j * ranks + k] = j < count ? scale * inner[(row + j) * rank + k] : 0;
                add_outer(given.at(), from.at(), to_b, wide_out, ranks);
                read(x + row * x_stride, x_stride, count, in, values.at(), wide);
                for (int64_t j = 0; threshold && j < count; j++) {
                    dropout.kept(row + j, masks.at(j * wide));
                    multiply(values.at(j * wide), masks.at(j * wide), wide);
                }
                add_outer(back.at(), values.at(), to_a, wide, ranks);
                if (grad_x) {
                    up(back.at(), as.at(), added.at(), wide, ranks);
                    if (threshold) multiply(added.at(), masks.at(), count * wide);
                    add(added.at(), wide, 1.0f, count, in, grad_x + row * grad_x_stride, grad_x_stride);
                }
            }
        }
#pragma omp for schedule(static)
        for (int64_t i = 0; i < of_a + of_b; i += LANES) {
            Lanes total = {};
            for (int64_t group = 0; group < groups; group++) total += load(shares.at(group * (of_a + of_b) + i));
            store(shares.at(i), total);
        }
    }
    for (int64_t k = 0; k < rank; k++) std::memcpy(grad_a + k * in, shares.at(k * wide), sizeof(float) * size_t(in));
    for (int64_t i = 0; i < outs; i++)
        for (int64_t k = 0; k < rank; k++) grad_b[i * rank + k] = shares[of_a + k * wide_out + i];
}

}  // extern "C"
