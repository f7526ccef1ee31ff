// Norms, gates and the loss: the functions of `kernels.py` that see each row once. Rows are shared out among threads.

#include "rows.h"

namespace {

inline float sigmoid(float x) { return 1.0f / (1.0f + exponential(-x)); }

// GELU in its tanh form is x * sigmoid(2 sqrt(2/pi) (x + 0.044715 x^3)).
constexpr float GELU_SLOPE = 1.5957691216f, GELU_CUBE = 0.044715f;
inline float gelu_gate(float x) { return sigmoid(GELU_SLOPE * (x + GELU_CUBE * x * x * x)); }

}  // namespace

extern "C" {

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
