// Norms, gates and the loss: the functions of `kernels.py` that see each row once. Rows are shared out among threads.

#include "rows.h"

namespace {

// GELU in its tanh form is x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)); this is the sigmoid.
constexpr float GELU_SLOPE = 1.5957691216f, GELU_CUBE = 0.044715f;
template <typename Number>
inline Number gelu_gate(Number x) {
    return 1.0f / (1.0f + exponential(-GELU_SLOPE * (x + GELU_CUBE * x * x * x)));
}

// GELU in its exact form is x * P(x), P the normal distribution. P(-|x|) is half of erfc(|x| / sqrt 2), here to 1e-7 by formula 7.1.26 of
// Abramowitz and Stegun, 1964, which shares e^(-x^2 / 2) with the density.
template <typename Number>
struct Normal {
    Number share, density;
    explicit Normal(Number x) {
        const Number bell = exponential(-0.5f * x * x), size = x < 0.0f ? -x : x, t = 1.0f / (1.0f + 0.23164189f * size);
        const Number series = 0.127414796f + t * (-0.142248368f + t * (0.7107068705f + t * (-0.7265760135f + t * 0.5307027145f)));
        const Number tail = t * series * bell;
        share = x < 0.0f ? tail : 1.0f - tail;
        density = 0.39894228f * bell;
    }
};

}  // namespace

extern "C" {

// out = x * scale * weight, scale = 1 / sqrt(mean(x^2) + eps) of each row.
void rms_norm(const Row *x, const Row *weight, Row *out, float *scales, int64_t rows, int64_t columns, float eps, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *in = x + row * columns;
        Row *to = out + row * columns;
        Sum squares;
        each(columns, [&](int64_t i, auto like) {
            const auto value = get<decltype(like)>(in + i);
            squares.add(value * value);
        });
        const float scale = 1.0f / __builtin_sqrtf(squares.total() / float(columns) + eps);
        scales[row] = scale;
        each(columns, [&](int64_t i, auto like) {
            using Number = decltype(like);
            put(to + i, get<Number>(in + i) * scale * get<Number>(weight + i));
        });
    }
}

// The gradient of x: scale * g - x * scale^3 * mean(g x), g = grad * weight.
void rms_norm_backward(
    const Row *grad, const Row *x, const Row *weight, const float *scales, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *from = grad + row * columns, *in = x + row * columns;
        Row *to = out + row * columns;
        const float scale = scales[row];
        Sum products;
        each(columns, [&](int64_t i, auto like) {
            using Number = decltype(like);
            products.add(get<Number>(from + i) * get<Number>(weight + i) * get<Number>(in + i));
        });
        const float along = products.total() * scale * scale * scale / float(columns);
        each(columns, [&](int64_t i, auto like) {
            using Number = decltype(like);
            put(to + i, get<Number>(from + i) * get<Number>(weight + i) * scale - get<Number>(in + i) * along);
        });
    }
}

// out = gelu(gate) * value; a row of x has `columns` gates and then as many values.
void gated_gelu(const Row *x, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *gates = x + row * 2 * columns, *values = gates + columns;
        Row *to = out + row * columns;
        each(columns, [&](int64_t i, auto like) {
            using Number = decltype(like);
            const Number gate = get<Number>(gates + i);
            put(to + i, gate * gelu_gate(gate) * get<Number>(values + i));
        });
    }
}

void gated_gelu_backward(const Row *grad, const Row *x, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++) {
        const Row *from = grad + row * columns, *gates = x + row * 2 * columns, *values = gates + columns;
        Row *to_gates = out + row * 2 * columns, *to_values = to_gates + columns;
        each(columns, [&](int64_t i, auto like) {
            using Number = decltype(like);
            const Number gate = get<Number>(gates + i), share = gelu_gate(gate), active = gate * share, g = get<Number>(from + i);
            const Number slope = share + active * (1.0f - share) * GELU_SLOPE * (1.0f + 3.0f * GELU_CUBE * gate * gate);
            put(to_gates + i, g * get<Number>(values + i) * slope);
            put(to_values + i, g * active);
        });
    }
}

// out = gelu(x).
void gelu(const Row *x, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        each(columns, [&](int64_t i, auto like) {
            const auto value = get<decltype(like)>(x + row * columns + i);
            put(out + row * columns + i, value * Normal<decltype(like)>(value).share);
        });
}

void gelu_backward(const Row *grad, const Row *x, Row *out, int64_t rows, int64_t columns, int threads) {
#pragma omp parallel for num_threads(threads) schedule(static)
    for (int64_t row = 0; row < rows; row++)
        each(columns, [&](int64_t i, auto like) {
            const int64_t at = row * columns + i;
            const auto value = get<decltype(like)>(x + at);
            const Normal<decltype(like)> normal(value);
            put(out + at, get<decltype(like)>(grad + at) * (normal.share + value * normal.density));
        });
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
        Largest largest_one;
        Sum sum, exponentials;
        each(columns, [&](int64_t i, auto like) {
            const auto value = get<decltype(like)>(x + i);
            largest_one.add(value);
            sum.add(value);
        });
        const float largest = largest_one.total();
        each(columns, [&](int64_t i, auto like) { exponentials.add(exponential(get<decltype(like)>(x + i) - largest)); });
        const float log_sum = largest + __builtin_logf(exponentials.total());
        losses[row] = log_sum - (1.0f - smoothing) * target - uniform * sum.total();
        each(columns, [&](int64_t i, auto like) { put(x + i, exponential(get<decltype(like)>(x + i) - log_sum) - uniform); });
        put(x + label, exponential(target - log_sum) - uniform - (1.0f - smoothing));
    }
}

}  // extern "C"
