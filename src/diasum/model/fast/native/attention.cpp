// Attention by segments: `attention` and `attention_backward` of `kernels.py`. A segment's head is one piece of work; what it reads is
// first laid out for the products. The backward pass computes the weights again, as flash attention does (Dao et al., 2022);
// conversations are short enough for whole rows of them. No result depends on the number of threads.

#include "products.h"

namespace {

inline void give(const float *from, float factor, int64_t size, Row *to) {
    each(size, [&](int64_t c, auto like) { put(to + c, factor * get<decltype(like)>(from + c)); });
}

// The columns of (size, count), whose rows are `row` apart.
void give_across(const float *from, int64_t row, int64_t count, int64_t size, Row *to, int64_t stride) {
    for (int64_t begin = 0; begin < size; begin += LANES)
        for (int64_t j = 0; j < count; j += LANES) {
            Words block[LANES];
            for (int64_t c = 0; c < LANES; c++) block[c] = begin + c < size ? words(from + (begin + c) * row + j) : Words{};
            turn(block);
            for (int64_t i = 0; i < least(LANES, count - j); i++) {
                float line[LANES];
                std::memcpy(line, &block[i], sizeof(line));
                give(line, 1, least(LANES, size - begin), to + (j + i) * stride + begin);
            }
        }
}

struct Segment {
    int64_t query, query_end, key, key_end;
    int64_t queries() const { return query_end - query; }
    int64_t keys() const { return key_end - key; }
};

// What is added to the scores, by how far a key stands behind its query (before it: less than 0); nothing where there is none.
struct Bias {
    const Row *by_distance;
    int64_t head_stride;

    // scores (keys) = scale * scores + bias of a query, and their largest.
    float add_to(float *scores, float scale, int64_t head, int64_t query, int64_t keys) const {
        const Row *here = by_distance + head * head_stride - query;
        Largest largest;
        each(keys, [&](int64_t j, auto like) {
            using Number = decltype(like);
            Number score = scale * get<Number>(scores + j);
            if (by_distance) score += get<Number>(here + j);
            put(scores + j, score);
            largest.add(score);
        });
        return largest.total();
    }
};

int64_t most_keys(const Segment *segments, int64_t count) {
    int64_t most = 0;
    for (int64_t i = 0; i < count; i++) most = segments[i].keys() > most ? segments[i].keys() : most;
    return up_to(most, ROW);
}

}  // namespace

extern "C" {

// What multiplies, as in `UNITS` of `compiled.py`.
int attention_unit() {
#if defined(TILES)
    return tiles_allowed ? 2 : 1;
#elif defined(PAIRS)
    return 1;
#else
    return 0;
#endif
}

// out (tokens, heads * size) = softmax(scale * q k' + bias) v in every segment and head, log_sums (tokens, heads) the logarithms of the
// softmax's sums. Rows of q, and those of k and v, have `..._stride` elements from one to the next. With `causal` a query sees no later
// keys.
void attention(
    const Row *q, int64_t q_stride, const Row *k, const Row *v, int64_t kv_stride, const Row *by_distance, int64_t bias_head,
    const Segment *segments, int64_t count, int64_t heads, int64_t size, float scale, int causal, Row *out,
    float *log_sums, int threads) {
    const Bias bias{by_distance, bias_head};
    const int64_t most = most_keys(segments, count), wide = up_to(size, ROW), deep = steps_of(size);
#pragma omp parallel num_threads(threads)
    {
        const Tiles tiles;
        Store<Number> keys_across(most * deep), values(most / EACH * wide), queries(BLOCK * deep);
        Made weights(most);
        Buffer mixed(BLOCK * wide);
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < count * heads; piece++) {
            const Segment segment = segments[piece / heads];
            const int64_t head = piece % heads, at = head * size, keys = segment.keys(), row = up_to(keys, ROW), far = steps_of(keys);
            as_panels_across(k + segment.key * kv_stride + at, kv_stride, keys, size, keys_across.at());
            as_panels(v + segment.key * kv_stride + at, kv_stride, keys, size, values.at());
            for (int64_t begin = 0; begin < segment.queries(); begin += BLOCK) {
                const int64_t some = least(segment.queries() - begin, BLOCK), first = segment.query + begin;
                float shares[BLOCK];
                as_rows(q + first * q_stride + at, q_stride, some, size, queries.at(), deep);
                product(some, keys, deep, queries.at(), deep, keys_across.at(), deep * PANEL, PANEL, weights.at(), row);
                for (int64_t i = 0; i < some; i++) {
                    float *here = weights.at(i * row);
                    const int64_t seen = causal ? least(begin + i + 1, keys) : keys;
                    const float largest = bias.add_to(here, scale, head, begin + i, seen);
                    Sum sum;
                    each(seen, [&](int64_t j, auto like) {
                        const auto weight = exponential(get<decltype(like)>(here + j) - largest);
                        put(here + j, weight);
                        sum.add(weight);
                    });
                    std::memset(here + seen, 0, sizeof(float) * size_t(row - seen));
                    shares[i] = 1 / sum.total();
                    log_sums[(first + i) * heads + head] = largest + __builtin_logf(sum.total());
                }
                product(some, size, far, weights.rows(row), row / EACH, values.at(), far * PANEL, PANEL, mixed.at(), wide);
                for (int64_t i = 0; i < some; i++) give(mixed.at(i * wide), shares[i], size, out + ((first + i) * heads + head) * size);
            }
        }
    }
}

// The gradients of q, k and v, whose rows stand as theirs do, from that of `out`.
void attention_backward(
    const Row *grad, const Row *q, int64_t q_stride, const Row *k, const Row *v, int64_t kv_stride, const Row *out, const float *log_sums,
    const Row *by_distance, int64_t bias_head, const Segment *segments, int64_t count, int64_t heads, int64_t size,
    float scale, int causal, Row *grad_q, Row *grad_k, Row *grad_v, int threads) {
    const Bias bias{by_distance, bias_head};
    const int64_t most = most_keys(segments, count), wide = up_to(size, ROW), deep = steps_of(size), across = steps_of(BLOCK);
    const int64_t tall = up_to(size, BLOCK);
#pragma omp parallel num_threads(threads)
    {
        const Tiles tiles;
        Store<Number> keys_across(most * deep), values_across(most * deep), keys_along(most / EACH * wide);
        Store<Number> queries(BLOCK * deep), given(BLOCK * deep), queries_across(tall * across), given_across(tall * across);
        Made weights(most), slopes(most);
        Buffer to_queries(BLOCK * wide), to_keys(tall * most), to_values(tall * most);
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < count * heads; piece++) {
            const Segment segment = segments[piece / heads];
            const int64_t head = piece % heads, at = head * size, keys = segment.keys(), row = up_to(keys, ROW), far = steps_of(keys);
            const int64_t from = segment.key * kv_stride + at;
            as_panels_across(k + from, kv_stride, keys, size, keys_across.at());
            as_panels_across(v + from, kv_stride, keys, size, values_across.at());
            as_panels(k + from, kv_stride, keys, size, keys_along.at());
            std::memset(to_keys.at(), 0, sizeof(float) * size_t(tall * row));
            std::memset(to_values.at(), 0, sizeof(float) * size_t(tall * row));
            for (int64_t begin = 0; begin < segment.queries(); begin += BLOCK) {
                const int64_t some = least(segment.queries() - begin, BLOCK), first = segment.query + begin;
                const Row *query = q + first * q_stride + at, *slope_of = grad + (first * heads + head) * size;
                as_rows(query, q_stride, some, size, queries.at(), deep);
                as_rows(slope_of, heads * size, some, size, given.at(), deep);
                as_rows_across(query, q_stride, some, size, queries_across.at(), across);
                as_rows_across(slope_of, heads * size, some, size, given_across.at(), across);
                product(some, keys, deep, queries.at(), deep, keys_across.at(), deep * PANEL, PANEL, weights.at(), row);
                product(some, keys, deep, given.at(), deep, values_across.at(), deep * PANEL, PANEL, slopes.at(), row);
                for (int64_t i = 0; i < some; i++) {
                    float *weight = weights.at(i * row), *slope = slopes.at(i * row);
                    const float log_sum = log_sums[(first + i) * heads + head];
                    const Row *of = slope_of + i * heads * size, *made = out + ((first + i) * heads + head) * size;
                    Sum products;
                    each(size, [&](int64_t c, auto like) { products.add(get<decltype(like)>(of + c) * get<decltype(like)>(made + c)); });
                    const float along = products.total();
                    const int64_t seen = causal ? least(begin + i + 1, keys) : keys;
                    bias.add_to(weight, scale, head, begin + i, seen);
                    each(seen, [&](int64_t j, auto like) {
                        using Number = decltype(like);
                        const Number share = exponential(get<Number>(weight + j) - log_sum);
                        put(weight + j, share);
                        put(slope + j, scale * share * (get<Number>(slope + j) - along));
                    });
                    std::memset(weight + seen, 0, sizeof(float) * size_t(row - seen));
                    std::memset(slope + seen, 0, sizeof(float) * size_t(row - seen));
                }
                product(some, size, far, slopes.rows(row), row / EACH, keys_along.at(), far * PANEL, PANEL, to_queries.at(), wide);
                for (int64_t i = 0; i < some; i++) give(to_queries.at(i * wide), 1, size, grad_q + (first + i) * q_stride + at);
                const int64_t high = steps_of(some);
                product<true>(size, keys, high, queries_across.at(), across, slopes.columns(some, row), PANEL, row, to_keys.at(), row);
                product<true>(size, keys, high, given_across.at(), across, weights.columns(some, row), PANEL, row, to_values.at(), row);
            }
            give_across(to_keys.at(), row, keys, size, grad_k + from, kv_stride);
            give_across(to_values.at(), row, keys, size, grad_v + from, kv_stride);
        }
    }
}

}  // extern "C"
