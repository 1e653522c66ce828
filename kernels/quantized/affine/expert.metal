// Affine GEMV by one expert of a mixture: Y[m] = W[index[m]] * X[m], W of shape [E, N, K]. As rows.metal,
// ROWS outputs a SIMD-group; row m of X is the grid's y.
//
// The index is the same for the whole threadgroup. All that it changes is where the matrix begins: no byte of
// another expert is touched. An index that is no expert's touches no weights at all, and its outputs are NaN.

constexpr uint C = codes_of<BITS>();
constexpr uint MASK = (1u << BITS) - 1;

uint lane = thread_index_in_simdgroup;
uint n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
uint m = threadgroup_position_in_grid.y;
uint E = packed_shape[0];
uint N = packed_shape[1];
uint bytes = packed_shape[2];
uint e = index[m];

if (e >= E) {
    if (lane < ROWS && n + lane < N) {
        Y[size_t(m) * N + n + lane] = T(NAN);
    }
    return;
}
uint K = bytes * 8 / BITS;

auto x = X + size_t(m) * K;
const device uchar* row[ROWS];
size_t group[ROWS];  // of the row's first scale and bias
#pragma clang loop unroll(full)
for (uint r = 0; r < ROWS; r++) {
    size_t at = size_t(e) * N + min(n + r, N - 1);
    row[r] = packed + at * bytes;
    group[r] = at * (K / GROUP);
}

float sum[ROWS] = {};
uint k = 0;
for (; k + 32 * C <= K; k += 32 * C) {
    float xs[C];
    load_elements<T, C>(x + k + C * lane, xs);
    float all = 0;
    #pragma clang loop unroll(full)
    for (uint j = 0; j < C; j++) {
        all += xs[j];
        xs[j] *= 1.0f / (1u << (BITS * j));
    }
    uint g = k / GROUP + C * lane / GROUP;
    #pragma clang loop unroll(full)
    for (uint r = 0; r < ROWS; r++) {
        uint codes = share_of<BITS, C>(row[r] + k / 8 * BITS, lane, C * BITS);
        float dot = 0;
        #pragma clang loop unroll(full)
        for (uint j = 0; j < C; j++) {
            dot += float(codes & MASK << (BITS * j)) * xs[j];
        }
        sum[r] += float(scales[group[r] + g]) * dot + float(biases[group[r] + g]) * all;
    }
}
// Less than a step is left: some lanes have nothing. Their x stays zero, and they take part in the shuffles.
if (k < K) {
    bool inside = k + C * lane < K;
    float xs[C] = {};
    if (inside) {
        load_elements<T, C>(x + k + C * lane, xs);
    }
    float all = 0;
    #pragma clang loop unroll(full)
    for (uint j = 0; j < C; j++) {
        all += xs[j];
        xs[j] *= 1.0f / (1u << (BITS * j));
    }
    #pragma clang loop unroll(full)
    for (uint r = 0; r < ROWS; r++) {
        uint codes = share_of<BITS, C>(row[r] + k / 8 * BITS, lane, (K - k) / 32 * BITS);
        float dot = 0;
        #pragma clang loop unroll(full)
        for (uint j = 0; j < C; j++) {
            dot += float(codes & MASK << (BITS * j)) * xs[j];
        }
        if (inside) {
            size_t g = group[r] + (k + C * lane) / GROUP;
            sum[r] += float(scales[g]) * dot + float(biases[g]) * all;
        }
    }
}

#pragma clang loop unroll(full)
for (uint r = 0; r < ROWS; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0 && n + r < N) {
        Y[size_t(m) * N + n + r] = T(total);
    }
}
