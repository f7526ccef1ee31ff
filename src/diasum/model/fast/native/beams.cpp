// Attention of one step of beam search: `BeamAttention` of `beam_attention.py`. Keys and values of a source stand there once and are read
// once for all of its beams, so that memory's speed decides and not the number of beams. A slot's head is one piece of work; no result
// depends on the number of threads or on what other slots hold.

#include "rows.h"

namespace {

constexpr int GROUP = 4;                // beams whose sums stay in registers
constexpr int64_t STRIPE = 2 * LANES;   // columns of values that are summed at a time

// f(n, begin) for n = GROUP beams at a time, as a constant, then for those that are left.
template <typename Function>
inline __attribute__((always_inline)) void by_groups(int64_t beams, Function f) {
    int64_t begin = 0;
    for (; begin + GROUP <= beams; begin += GROUP) f(std::integral_constant<int, GROUP>(), begin);
    switch (beams - begin) {
        case 3: f(std::integral_constant<int, 3>(), begin); break;
        case 2: f(std::integral_constant<int, 2>(), begin); break;
        case 1: f(std::integral_constant<int, 1>(), begin); break;
    }
}

// The products of N queries, `size` apart, with a key, written `row` apart.
template <int N>
inline __attribute__((always_inline)) void compare(const float *queries, const Row *key, int64_t size, float *scores, int64_t row) {
    Lanes sums[N] = {};
    float rests[N] = {};
    int64_t c = 0;
    for (; c + LANES <= size; c += LANES) {
        const Lanes here = get_lanes(key + c);
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) sums[n] += here * load(queries + n * size + c);
    }
    for (; c < size; c++)
        for (int n = 0; n < N; n++) rests[n] += get(key[c]) * queries[n * size + c];
#pragma GCC unroll 4
    for (int n = 0; n < N; n++) scores[n * row] = rests[n] + folded(sums[n], [](Lanes a, Lanes b) { return a + b; });
}

// Scores become weights, in place; returns one over their sum.
inline float weigh(float *scores, int64_t count) {
    Largest largest;
    each(count, [&](int64_t j, auto like) { largest.add(get<decltype(like)>(scores + j)); });
    const float most = largest.total();
    Sum sum;
    each(count, [&](int64_t j, auto like) {
        const auto weight = exponential(get<decltype(like)>(scores + j) - most);
        put(scores + j, weight);
        sum.add(weight);
    });
    return 1 / sum.total();
}

// What N beams, whose weights are `row` apart, take of `count` values; `at(j)` is where the j-th stands. Written `to_row` apart.
template <int N, typename Place>
inline __attribute__((always_inline)) void mix(
    const float *weights, int64_t row, const float *shares, int64_t count, Place at, int64_t size, Row *to, int64_t to_row) {
    int64_t c = 0;
    for (; c + STRIPE <= size; c += STRIPE) {
        Lanes sums[N][2] = {};
        for (int64_t j = 0; j < count; j++) {
            const Row *here = at(j) + c;
            const Lanes first = get_lanes(here), second = get_lanes(here + LANES);
#pragma GCC unroll 4
            for (int n = 0; n < N; n++) {
                sums[n][0] += weights[n * row + j] * first;
                sums[n][1] += weights[n * row + j] * second;
            }
        }
#pragma GCC unroll 4
        for (int n = 0; n < N; n++) {
            put(to + n * to_row + c, sums[n][0] * shares[n]);
            put(to + n * to_row + c + LANES, sums[n][1] * shares[n]);
        }
    }
    for (; c < size; c++)
        for (int n = 0; n < N; n++) {
            float sum = 0;
            for (int64_t j = 0; j < count; j++) sum += weights[n * row + j] * get(at(j)[c]);
            put(to + n * to_row + c, sum * shares[n]);
        }
}

int64_t most_of(const int64_t *numbers, int64_t count) {
    int64_t most = 0;
    for (int64_t i = 0; i < count; i++) most = numbers[i] > most ? numbers[i] : most;
    return most;
}

// One beam's query as fp32, scaled.
inline void take_query(const Row *from, float scale, int64_t size, float *to) {
    each(size, [&](int64_t c, auto like) { put(to + c, scale * get<decltype(like)>(from + c)); });
}

}  // namespace

extern "C" {

// out (slots * beams, heads * size) = softmax(scale * q k') v, for the first `lengths` keys of each slot. Rows of q are `q_row` apart; keys
// and values stand alike, (slots, heads, tokens, size).
void attend_sources(
    const Row *q, int64_t q_row, const Row *keys, const Row *values, int64_t slot_stride, int64_t head_stride, const int64_t *lengths,
    int64_t slots, int64_t heads, int64_t beams, int64_t size, float scale, Row *out, int threads) {
    const int64_t row = up_to(most_of(lengths, slots), LANES), wide = heads * size;
#pragma omp parallel num_threads(threads)
    {
        Buffer queries(beams * size), weights(beams * row);
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < slots * heads; piece++) {
            const int64_t slot = piece / heads, head = piece % heads, at = slot * slot_stride + head * head_stride, count = lengths[slot];
            for (int64_t b = 0; b < beams; b++)
                take_query(q + (slot * beams + b) * q_row + head * size, scale, size, queries.at(b * size));
            by_groups(beams, [&](auto n, int64_t begin) {
                float *here = weights.at(begin * row), shares[GROUP];
                for (int64_t j = 0; j < count; j++)
                    compare<n()>(queries.at(begin * size), keys + at + j * size, size, here + j, row);
                for (int b = 0; b < n(); b++) shares[b] = weigh(here + b * row, count);
                const auto value = [&](int64_t j) { return values + at + j * size; };
                mix<n()>(here, row, shares, count, value, size, out + (slot * beams + begin) * wide + head * size, wide);
            });
        }
    }
}

// The same of the tokens written so far, (slots, heads, steps, beams, size): those that each beam follows. First this step's keys and
// values are put there, at each slot's position. Rows of `qkv` (slots * beams, 3 * heads * size) are queries, keys and values side by side;
// `ancestors` (slots, beams, steps) says whose token a beam follows at each step, `by_distance` (heads, steps) is added to the score of a
// token so far before; it may be null.
void attend_written(
    const Row *qkv, Row *keys, Row *values, int64_t slot_stride, int64_t head_stride, const int64_t *ancestors, int64_t steps,
    const int64_t *positions, const Row *by_distance, int64_t bias_row, int64_t slots, int64_t heads, int64_t beams, int64_t size,
    float scale, Row *out, int threads) {
    const int64_t row = most_of(positions, slots) + 1, wide = heads * size;
#pragma omp parallel num_threads(threads)
    {
        Buffer query(size), weights(row);
#pragma omp for schedule(dynamic)
        for (int64_t piece = 0; piece < slots * heads; piece++) {
            const int64_t slot = piece / heads, head = piece % heads, at = slot * slot_stride + head * head_stride, now = positions[slot];
            for (int64_t b = 0; b < beams; b++) {
                const Row *from = qkv + (slot * beams + b) * 3 * wide + head * size;
                const int64_t to = at + (now * beams + b) * size;
                std::memcpy(keys + to, from + wide, size_t(size) * sizeof(Row));
                std::memcpy(values + to, from + 2 * wide, size_t(size) * sizeof(Row));
            }
            for (int64_t b = 0; b < beams; b++) {
                const int64_t *follows = ancestors + (slot * beams + b) * steps;
                const auto place = [&](int64_t t) { return at + (t * beams + follows[t]) * size; };
                take_query(qkv + (slot * beams + b) * 3 * wide + head * size, scale, size, query.at());
                for (int64_t t = 0; t <= now; t++) {
                    compare<1>(query.at(), keys + place(t), size, weights.at(t), 0);
                    if (by_distance) weights[t] += get(by_distance[head * bias_row + now - t]);
                }
                const float share = weigh(weights.at(), now + 1);
                const auto value = [&](int64_t t) { return values + place(t); };
                mix<1>(weights.at(), 0, &share, now + 1, value, size, out + (slot * beams + b) * wide + head * size, wide);
            }
        }
    }
}

}  // extern "C"
