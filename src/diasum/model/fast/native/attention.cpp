// Attention by segments: `attention` and `attention_backward` of `kernels.py`. A segment's head is one piece of work, in fp32; what it reads
// of keys and values is first laid out for the products below. The backward pass computes the weights again, as flash attention does (Dao et
// al., 2022); conversations are short enough for whole rows of them. No result depends on the number of threads.

#include "rows.h"

namespace {

constexpr int64_t TILE = 6, PANEL = 2 * LANES, BLOCK = 4 * TILE;  // a tile's sums, 6 by 2 vectors, fill the registers

inline int64_t up_to(int64_t n, int64_t unit) { return (n + unit - 1) / unit * unit; }
inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

// c (6, PANEL) = a (6, steps) b (steps, PANEL), or added to it.
template <bool ADD>
inline void tile(int64_t steps, const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_step, float *c, int64_t c_row) {
    Lanes sums[TILE][2];
#pragma GCC unroll 6
    for (int64_t r = 0; r < TILE; r++) {
        sums[r][0] = ADD ? load(c + r * c_row) : Lanes{};
        sums[r][1] = ADD ? load(c + r * c_row + LANES) : Lanes{};
    }
    for (int64_t t = 0; t < steps; t++, a += a_step, b += b_step) {
        const Lanes first = load(b), second = load(b + LANES);
#pragma GCC unroll 6
        for (int64_t r = 0; r < TILE; r++) {
            sums[r][0] += a[r * a_row] * first;
            sums[r][1] += a[r * a_row] * second;
        }
    }
#pragma GCC unroll 6
    for (int64_t r = 0; r < TILE; r++) {
        store(c + r * c_row, sums[r][0]);
        store(c + r * c_row + LANES, sums[r][1]);
    }
}

// c (rows, columns) = a (rows, steps) b (steps, columns), or added to it; rows are made in whole tiles, columns in whole panels.
template <bool ADD = false>
void product(
    int64_t rows, int64_t columns, int64_t steps, const float *a, int64_t a_row, int64_t a_step, const float *b, int64_t b_panel,
    int64_t b_step, float *c, int64_t c_row) {
    for (int64_t j = 0; j < columns; j += PANEL, b += b_panel)
        for (int64_t i = 0; i < rows; i += TILE) tile<ADD>(steps, a + i * a_row, a_row, a_step, b, b_step, c + i * c_row + j, c_row);
}

// Rows (count, size) as (panels of columns, count, PANEL); columns that are not there are 0.
void panels(const Row *from, int64_t stride, int64_t count, int64_t size, float *to) {
    for (int64_t begin = 0; begin < size; begin += PANEL)
        for (int64_t i = 0; i < count; i++)
            for (int64_t c = begin; c < begin + PANEL; c++) *to++ = c < size ? get(from[i * stride + c]) : 0;
}

// The transpose of rows (count, size) as (panels of rows, size, PANEL).
void panels_across(const Row *from, int64_t stride, int64_t count, int64_t size, float *to) {
    for (int64_t begin = 0; begin < count; begin += PANEL)
        for (int64_t c = 0; c < size; c++)
            for (int64_t i = begin; i < begin + PANEL; i++) *to++ = i < count ? get(from[i * stride + c]) : 0;
}

// Up to BLOCK rows, `wide` apart, and zeros after them.
void block(const Row *from, int64_t stride, int64_t count, int64_t size, float *to, int64_t wide) {
    std::memset(to, 0, sizeof(float) * size_t(BLOCK * wide));
    for (int64_t i = 0; i < count; i++)
        for (int64_t c = 0; c < size; c++) to[i * wide + c] = get(from[i * stride + c]);
}

inline void give(const float *from, float factor, int64_t size, Row *to) {
    for (int64_t c = 0; c < size; c++) put(to[c], factor * from[c]);
}

struct Segment {
    int64_t query, query_end, key, key_end;
    int64_t queries() const { return query_end - query; }
    int64_t keys() const { return key_end - key; }
};

// What is added to the scores; without rows, nothing.
struct Bias {
    const Row *rows;
    int64_t head_stride, row_stride;

    // scores (keys) = scale * scores + bias of a query, and their largest.
    float add_to(float *scores, float scale, int64_t head, int64_t query, int64_t keys) const {
        float largest = -__builtin_inff();
        if (rows) {
            const Row *here = rows + head * head_stride + query * row_stride;
#pragma omp simd
            for (int64_t j = 0; j < keys; j++) scores[j] = scale * scores[j] + get(here[j]);
        } else {
#pragma omp simd
            for (int64_t j = 0; j < keys; j++) scores[j] *= scale;
        }
#pragma omp simd reduction(max : largest)
        for (int64_t j = 0; j < keys; j++) largest = scores[j] > largest ? scores[j] : largest;
        return largest;
    }
};

// Elements of the buffers for a segment's keys, and from a row of scores to the next: whole tiles of rows and whole panels of columns.
inline int64_t key_rows(int64_t keys) { return up_to(keys, TILE * PANEL / 2); }

int64_t most_keys(const Segment *segments, int64_t count) {
    int64_t most = 0;
    for (int64_t i = 0; i < count; i++) most = segments[i].keys() > most ? segments[i].keys() : most;
    return key_rows(most);
}

}  // namespace

extern "C" {

// out (tokens, heads * size) = softmax(scale * q k' + bias) v in every segment and head, log_sums (tokens, heads) the logarithms of the
// softmax's sums. Rows of q, and those of k and v, have `..._stride` elements from one to the next. With `causal` a query sees no later keys.
void attention(
    const Row *q, int64_t q_stride, const Row *k, const Row *v, int64_t kv_stride, const Row *bias_rows, int64_t bias_head,
    int64_t bias_row, const Segment *segments, int64_t count, int64_t heads, int64_t size, float scale, int causal, Row *out,
    float *log_sums, int threads) {
    const Bias bias{bias_rows, bias_head, bias_row};
    const int64_t most = most_keys(segments, count), wide = up_to(size, PANEL);
#pragma omp parallel num_threads(threads)
    {
        Buffer keys_across(most * size), values(most * wide), queries(BLOCK * wide), weights(BLOCK * most), mixed(BLOCK * wide);
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < count * heads; piece++) {
            const Segment segment = segments[piece / heads];
            const int64_t head = piece % heads, at = head * size, keys = segment.keys(), row = key_rows(keys);
            panels_across(k + segment.key * kv_stride + at, kv_stride, keys, size, keys_across.at());
            panels(v + segment.key * kv_stride + at, kv_stride, keys, size, values.at());
            for (int64_t begin = 0; begin < segment.queries(); begin += BLOCK) {
                const int64_t some = least(segment.queries() - begin, BLOCK), first = segment.query + begin;
                float shares[BLOCK];
                block(q + first * q_stride + at, q_stride, some, size, queries.at(), wide);
                product(some, keys, size, queries.at(), wide, 1, keys_across.at(), size * PANEL, PANEL, weights.at(), row);
                for (int64_t i = 0; i < some; i++) {
                    float *here = weights.at(i * row), sum = 0;
                    const int64_t seen = causal ? least(begin + i + 1, keys) : keys;
                    const float largest = bias.add_to(here, scale, head, begin + i, seen);
#pragma omp simd reduction(+ : sum)
                    for (int64_t j = 0; j < seen; j++) {
                        here[j] = exponential(here[j] - largest);
                        sum += here[j];
                    }
                    for (int64_t j = seen; j < keys; j++) here[j] = 0;
                    shares[i] = 1 / sum;
                    log_sums[(first + i) * heads + head] = largest + __builtin_logf(sum);
                }
                product(some, size, keys, weights.at(), row, 1, values.at(), keys * PANEL, PANEL, mixed.at(), wide);
                for (int64_t i = 0; i < some; i++) give(mixed.at(i * wide), shares[i], size, out + ((first + i) * heads + head) * size);
            }
        }
    }
}

// The gradients of q, k and v, whose rows stand as theirs do, from that of `out`.
void attention_backward(
    const Row *grad, const Row *q, int64_t q_stride, const Row *k, const Row *v, int64_t kv_stride, const Row *out, const float *log_sums,
    const Row *bias_rows, int64_t bias_head, int64_t bias_row, const Segment *segments, int64_t count, int64_t heads, int64_t size,
    float scale, int causal, Row *grad_q, Row *grad_k, Row *grad_v, int threads) {
    const Bias bias{bias_rows, bias_head, bias_row};
    const int64_t most = most_keys(segments, count), wide = up_to(size, PANEL);
#pragma omp parallel num_threads(threads)
    {
        Buffer keys_across(most * size), values_across(most * size), keys_along(most * wide), to_keys(most * wide), to_values(most * wide);
        Buffer queries(BLOCK * wide), given(BLOCK * wide), to_queries(BLOCK * wide), weights(BLOCK * most), slopes(BLOCK * most);
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < count * heads; piece++) {
            const Segment segment = segments[piece / heads];
            const int64_t head = piece % heads, at = head * size, keys = segment.keys(), row = key_rows(keys);
            const int64_t from = segment.key * kv_stride + at;
            panels_across(k + from, kv_stride, keys, size, keys_across.at());
            panels_across(v + from, kv_stride, keys, size, values_across.at());
            panels(k + from, kv_stride, keys, size, keys_along.at());
            std::memset(to_keys.at(), 0, sizeof(float) * size_t(row * wide));
            std::memset(to_values.at(), 0, sizeof(float) * size_t(row * wide));
            for (int64_t begin = 0; begin < segment.queries(); begin += BLOCK) {
                const int64_t some = least(segment.queries() - begin, BLOCK), first = segment.query + begin;
                block(q + first * q_stride + at, q_stride, some, size, queries.at(), wide);
                block(grad + (first * heads + head) * size, heads * size, some, size, given.at(), wide);
                product(some, keys, size, queries.at(), wide, 1, keys_across.at(), size * PANEL, PANEL, weights.at(), row);
                product(some, keys, size, given.at(), wide, 1, values_across.at(), size * PANEL, PANEL, slopes.at(), row);
                for (int64_t i = 0; i < some; i++) {
                    float *weight = weights.at(i * row), *slope = slopes.at(i * row), along = 0;
                    const float *of = given.at(i * wide), log_sum = log_sums[(first + i) * heads + head];
                    const Row *made = out + ((first + i) * heads + head) * size;
                    for (int64_t c = 0; c < size; c++) along += of[c] * get(made[c]);
                    const int64_t seen = causal ? least(begin + i + 1, keys) : keys;
                    bias.add_to(weight, scale, head, begin + i, seen);
#pragma omp simd
                    for (int64_t j = 0; j < seen; j++) {
                        weight[j] = exponential(weight[j] - log_sum);
                        slope[j] = scale * weight[j] * (slope[j] - along);
                    }
                    for (int64_t j = seen; j < row; j++) weight[j] = slope[j] = 0;
                }
                product(some, size, keys, slopes.at(), row, 1, keys_along.at(), keys * PANEL, PANEL, to_queries.at(), wide);
                for (int64_t i = 0; i < some; i++) give(to_queries.at(i * wide), 1, size, grad_q + (first + i) * q_stride + at);
                product<true>(keys, size, some, slopes.at(), 1, row, queries.at(), PANEL, wide, to_keys.at(), wide);
                product<true>(keys, size, some, weights.at(), 1, row, given.at(), PANEL, wide, to_values.at(), wide);
            }
            for (int64_t j = 0; j < keys; j++) give(to_keys.at(j * wide), 1, size, grad_k + from + j * kv_stride);
            for (int64_t j = 0; j < keys; j++) give(to_values.at(j * wide), 1, size, grad_v + from + j * kv_stride);
        }
    }
}

}  // extern "C"
