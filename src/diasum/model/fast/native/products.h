// Products of small matrices, c = a b, summed in fp32. Both factors are `Number`s: fp32, or pairs of bf16 where the processor multiplies
// those. Rows of `a` follow its steps, one Number a step; `b` stands in panels of columns, (panels, steps, PANEL) Numbers.

#pragma once

#include "rows.h"

#if defined(DIASUM_BF16) && (defined(__AVX512BF16__) || defined(DIASUM_PAIRS))  // DIASUM_PAIRS: also without instructions, for tests
#define PAIRS 1
#endif
#if defined(PAIRS) && defined(__AVX512BF16__) && defined(__AMX_BF16__) && defined(__linux__)
#define TILES 1
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace {

struct Pair {  // the first in the lower half
    uint32_t bits;
};

#ifdef PAIRS
using Number = Pair;
constexpr int64_t EACH = 2, DEPTH = 32, STRIP = 8, BLOCK = 32;
inline Pair number(const bf16 *at, int64_t step) { return {uint32_t(at[0].bits) | uint32_t(at[step].bits) << 16}; }
inline Pair number(const bf16 *at) { return {at->bits}; }
#else
using Number = float;
constexpr int64_t EACH = 1, DEPTH = 1, STRIP = LANES == 16 ? 12 : 6, BLOCK = 4 * STRIP;
inline float number(const Row *at, int64_t = 0) { return get(*at); }
#endif
// A step multiplies EACH elements; their number is filled up with zeros to whole DEPTHs. The sums of a product stay in registers, STRIP
// rows of two vectors; BLOCK rows, a multiple of LANES, are made from a segment at a time.
constexpr int64_t PANEL = 2 * LANES, ROW = PANEL > DEPTH ? PANEL : DEPTH;

inline int64_t steps_of(int64_t elements) { return up_to(elements, DEPTH) / EACH; }

// ---- transposing in registers ----

template <size_t STEP, size_t... LANE>
inline void exchange(Words &a, Words &b, std::index_sequence<LANE...>) {  // blocks of STEP lanes
    const Words lower = {uint32_t(LANE & STEP ? LANES + LANE - STEP : LANE)...};
    const Words upper = {uint32_t(LANE & STEP ? LANES + LANE : LANE + STEP)...};
    const Words first = __builtin_shuffle(a, b, lower);
    b = __builtin_shuffle(a, b, upper);
    a = first;
}

template <size_t STEP = 1>
inline void turn(Words (&rows)[LANES]) {
    if constexpr (STEP < LANES) {
#pragma GCC unroll 16
        for (size_t i = 0; i < LANES; i++)
            if (!(i & STEP)) exchange<STEP>(rows[i], rows[i + STEP], std::make_index_sequence<LANES>());
        turn<2 * STEP>(rows);
    }
}

inline Words words(const void *from) { return *static_cast<const Words *>(from); }
inline void set(void *to, Words values) { *static_cast<Words *>(to) = values; }

// LANES Numbers that follow each other in a row, or each of EACH rows' elements in one column.
inline Words words_along(const Row *at) {
#ifdef PAIRS
    return words(at);
#else
    return bits(get_lanes(at));
#endif
}
inline Words words_across(const Row *at, [[maybe_unused]] int64_t stride) {
#ifdef PAIRS
    return widened(*reinterpret_cast<const Halves *>(at)) | widened(*reinterpret_cast<const Halves *>(at + stride)) << 16;
#else
    return bits(get_lanes(at));
#endif
}

// ---- factors: lines of elements become lines of Numbers ----

// A line of `elements`, `step` apart, as Numbers: whole ones, then one that is filled up with zero, then zeros.
inline __attribute__((always_inline)) void as_line(const Row *from, int64_t step, int64_t elements, Number *to, int64_t wide) {
    const int64_t whole_steps = elements / EACH;
    for (int64_t t = 0; t < whole_steps; t++) to[t] = number(from + EACH * t * step, step);
    for (int64_t t = whole_steps; t < wide; t++) to[t] = EACH * t < elements ? number(from + EACH * t * step) : Number{};
}

// Rows as those of a left factor, `wide` Numbers apart.
inline void as_rows(const Row *from, int64_t stride, int64_t rows, int64_t elements, Number *to, int64_t wide) {
    for (int64_t i = 0; i < rows; i++) as_line(from + i * stride, 1, elements, to + i * wide, wide);
}

// Their columns, BLOCK elements at most, as the rows of a left factor.
inline void as_rows_across(const Row *from, int64_t stride, int64_t rows, int64_t elements, Number *to, int64_t wide) {
    const int64_t turned = elements / LANES * LANES, whole_steps = rows / EACH;
    for (int64_t c = 0; c < turned; c += LANES)
        for (int64_t t = 0; t < wide; t += LANES) {
            Words block[LANES];
            for (int64_t i = 0; i < LANES; i++)
                block[i] = t + i < whole_steps ? words_across(from + EACH * (t + i) * stride + c, stride) : Words{};
            turn(block);
            for (int64_t i = 0; i < LANES; i++) set(to + (c + i) * wide + t, block[i]);
        }
    for (int64_t c = 0; rows % EACH && c < turned; c++) to[c * wide + whole_steps] = number(from + EACH * whole_steps * stride + c);
    for (int64_t c = turned; c < elements; c++) as_line(from + c, stride, rows, to + c * wide, wide);
}

// Rows as the steps of a right factor, EACH a step, their columns in panels.
inline void as_panels(const Row *from, int64_t stride, int64_t rows, int64_t elements, Number *to) {
    for (int64_t begin = 0; begin < elements; begin += PANEL) {
        const int64_t count = least(elements - begin, PANEL);
        for (int64_t t = 0; t < steps_of(rows); t++, to += PANEL) {
            const Row *first = from + EACH * t * stride + begin;
            const int64_t left = rows - EACH * t;
            if (left >= EACH && count == PANEL) {
                for (int64_t i = 0; i < PANEL; i++) to[i] = number(first + i, stride);
            } else {
                for (int64_t i = 0; i < PANEL; i++)
                    to[i] = i >= count || left <= 0 ? Number{} : left >= EACH ? number(first + i, stride) : number(first + i);
            }
        }
    }
}

// Rows as the columns of a right factor, in panels.
inline void as_panels_across(const Row *from, int64_t stride, int64_t rows, int64_t elements, Number *to) {
    const int64_t deep = steps_of(elements);
    for (int64_t begin = 0; begin < rows; begin += LANES) {
        Number *panel = to + begin / PANEL * PANEL * deep + begin % PANEL;
        const int64_t count = least(rows - begin, LANES);
        const int64_t turned = count == LANES ? elements / (EACH * LANES) * LANES : 0;
        for (int64_t t = 0; t < turned; t += LANES) {
            Words block[LANES];
            for (int64_t i = 0; i < LANES; i++) block[i] = words_along(from + (begin + i) * stride + EACH * t);
            turn(block);
            for (int64_t i = 0; i < LANES; i++) set(panel + (t + i) * PANEL, block[i]);
        }
        for (int64_t t = turned; t < deep; t++)
            for (int64_t i = 0; i < LANES; i++) {
                const Row *at = from + (begin + i) * stride + EACH * t;
                const int64_t left = i < count ? elements - EACH * t : 0;
                panel[t * PANEL + i] = left >= EACH ? number(at, 1) : left > 0 ? number(at) : Number{};
            }
    }
}

#ifdef PAIRS
// 2 LANES of fp32 rounded to bf16, one vector after the other, or each of the first beside its like of the second.
inline Words joined(Lanes first, Lanes second) {
#ifdef __AVX512BF16__
    return Words(_mm512_cvtne2ps_pbh(__m512(second), __m512(first)));
#else
    bf16 both[2 * LANES];
    put(both, first);
    put(both + LANES, second);
    return words(both);
#endif
}
inline Words zipped(Lanes first, Lanes second) {
    const Words both = joined(first, second);
    typedef uint16_t All __attribute__((vector_size(sizeof(Words))));
    All order;
    for (int i = 0; i < int(LANES); i++) order[2 * i] = uint16_t(i), order[2 * i + 1] = uint16_t(LANES + i);
    return Words(__builtin_shuffle(All(both), order));
}
#endif

// BLOCK rows of fp32 that a product made, `wide` apart at most, and either kind of factor of the next one from them.
class Made {
  public:
#ifdef PAIRS
    explicit Made(int64_t wide) : values_(BLOCK * wide), rows_(BLOCK * wide / EACH), columns_(BLOCK * wide / EACH) {}

    // To be called when values have changed: `row` apart; those from `count` rows on become 0.
    const Pair *rows(int64_t row) {
        for (int64_t i = 0; i < BLOCK * row; i += 2 * LANES) set(rows_.at(i / EACH), joined(load(at(i)), load(at(i + LANES))));
        return rows_.at();
    }
    const Pair *columns(int64_t count, int64_t row) {
        std::memset(at(count * row), 0, sizeof(float) * size_t((BLOCK - count) * row));
        for (int64_t i = 0; i < BLOCK; i += 2)
            for (int64_t j = 0; j < row; j += LANES)
                set(columns_.at(i / 2 * row + j), zipped(load(at(i * row + j)), load(at((i + 1) * row + j))));
        return columns_.at();
    }
#else
    explicit Made(int64_t wide) : values_(BLOCK * wide) {}
    const float *rows(int64_t) const { return at(); }
    const float *columns(int64_t, int64_t) const { return at(); }
#endif
    float *at(int64_t i = 0) const { return values_.at(i); }

  private:
    Buffer values_;
#ifdef PAIRS
    Store<Pair> rows_, columns_;
#endif
};

// ---- products ----

inline Words load(const Pair *from) { return *reinterpret_cast<const Words *>(from); }
inline Lanes more(Lanes sum, float a, Lanes b) { return sum + a * b; }
inline Lanes more(Lanes sum, Pair a, Words b) {
#ifdef __AVX512BF16__
    return Lanes(_mm512_dpbf16_ps(__m512(sum), __m512bh(_mm512_set1_epi32(int(a.bits))), __m512bh(b)));
#else
    return sum + bits_of<float>(a.bits << 16) * Lanes(b << 16) + bits_of<float>(a.bits & 0xffff0000u) * Lanes(b & 0xffff0000u);
#endif
}

// c (STRIP, PANEL) = a b, or added to it.
template <bool ADD>
inline void strip(int64_t steps, const Number *a, int64_t a_row, const Number *b, int64_t b_step, float *c, int64_t c_row) {
    Lanes sums[STRIP][2];
#pragma GCC unroll 12
    for (int64_t r = 0; r < STRIP; r++) {
        sums[r][0] = ADD ? load(c + r * c_row) : Lanes{};
        sums[r][1] = ADD ? load(c + r * c_row + LANES) : Lanes{};
    }
    for (int64_t t = 0; t < steps; t++, b += b_step) {
        const auto first = load(b), second = load(b + LANES);
#pragma GCC unroll 12
        for (int64_t r = 0; r < STRIP; r++) {
            sums[r][0] = more(sums[r][0], a[r * a_row + t], first);
            sums[r][1] = more(sums[r][1], a[r * a_row + t], second);
        }
    }
#pragma GCC unroll 12
    for (int64_t r = 0; r < STRIP; r++) {
        store(c + r * c_row, sums[r][0]);
        store(c + r * c_row + LANES, sums[r][1]);
    }
}

#ifdef TILES
// The matrix unit's registers (AMX): eight of 16 rows of 64 bytes. Linux lets a process use them that has asked for it.
const bool tiles_allowed = syscall(SYS_arch_prctl, 0x1023 /* ARCH_REQ_XCOMP_PERM */, 18 /* XFEATURE_XTILEDATA */) == 0;

const struct {
    uint8_t palette, first_row, reserved[14];
    uint16_t row_bytes[16];
    uint8_t rows[16];
} tile_shapes = {1, 0, {}, {64, 64, 64, 64, 64, 64, 64, 64}, {16, 16, 16, 16, 16, 16, 16, 16}};

class Tiles {  // of this thread, for as long as it lives
  public:
    Tiles() {
        if (tiles_allowed) _tile_loadconfig(&tile_shapes);
    }
    Tiles(const Tiles &) = delete;
    ~Tiles() {
        if (tiles_allowed) _tile_release();
    }
};

// c (2 * 16, 2 * 16) = a b, or added to it. The compiler does not know that tiles are read from memory and written to it.
template <bool ADD>
inline void square(int64_t steps, const Pair *a, int64_t a_row, const Pair *b, int64_t b_step, float *c, int64_t c_row) {
    const int64_t bytes = 4;  // of a Pair as of a float
    asm volatile("" ::: "memory");
    if (ADD) {
        _tile_loadd(0, c, c_row * bytes);
        _tile_loadd(1, c + 16, c_row * bytes);
        _tile_loadd(2, c + 16 * c_row, c_row * bytes);
        _tile_loadd(3, c + 16 * c_row + 16, c_row * bytes);
    } else {
        _tile_zero(0);
        _tile_zero(1);
        _tile_zero(2);
        _tile_zero(3);
    }
    for (int64_t t = 0; t < steps; t += 16, a += 16, b += 16 * b_step) {
        _tile_loadd(4, a, a_row * bytes);
        _tile_loadd(5, a + 16 * a_row, a_row * bytes);
        _tile_loadd(6, b, b_step * bytes);
        _tile_loadd(7, b + 16, b_step * bytes);
        _tile_dpbf16ps(0, 4, 6);
        _tile_dpbf16ps(1, 4, 7);
        _tile_dpbf16ps(2, 5, 6);
        _tile_dpbf16ps(3, 5, 7);
    }
    _tile_stored(0, c, c_row * bytes);
    _tile_stored(1, c + 16, c_row * bytes);
    _tile_stored(2, c + 16 * c_row, c_row * bytes);
    _tile_stored(3, c + 16 * c_row + 16, c_row * bytes);
    asm volatile("" ::: "memory");
}
#else
struct Tiles {
    ~Tiles() {}
};
#endif

// c (rows, columns) = a (rows, steps) b (steps, columns), or added to it; rows are made by BLOCKs at most, columns in whole panels.
template <bool ADD = false>
void product(
    int64_t rows, int64_t columns, int64_t steps, const Number *a, int64_t a_row, const Number *b, int64_t b_panel, int64_t b_step,
    float *c, int64_t c_row) {
    for (int64_t j = 0; j < columns; j += PANEL, b += b_panel) {
#ifdef TILES
        if (tiles_allowed) {
            for (int64_t i = 0; i < rows; i += BLOCK) square<ADD>(steps, a + i * a_row, a_row, b, b_step, c + i * c_row + j, c_row);
            continue;
        }
#endif
        for (int64_t i = 0; i < rows; i += STRIP) strip<ADD>(steps, a + i * a_row, a_row, b, b_step, c + i * c_row + j, c_row);
    }
}

}  // namespace
