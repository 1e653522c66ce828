// Batched affine GEMV: Y[M, N] = X[M, K] * W[N, K]^T for a small M. Each code is loaded once for all rows of X.
//
// A SIMD-group owns the M * ROWS outputs of ROWS rows of W. It makes each weight, scale * q + bias, once, and
// multiplies it with M elements of X; each of those serves ROWS weights. The sums must be registers, so M and
// ROWS are template parameters. Past the end of a row a weight is zero, and so is x.

constexpr uint C = codes_of<BITS>();
constexpr uint MASK = (1u << BITS) - 1;

uint lane = thread_index_in_simdgroup;
uint n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
uint N = packed_shape[0];
uint bytes = packed_shape[1];
uint K = bytes * 8 / BITS;

float sum[M][ROWS] = {};
for (uint k = 0; k < K; k += 32 * C) {
    bool inside = k + C * lane < K;
    float weight[ROWS][C];
    #pragma clang loop unroll(full)
    for (uint r = 0; r < ROWS; r++) {
        size_t at = min(n + r, N - 1);
        uint codes = share_of<BITS, C>(packed + at * bytes + k / 8 * BITS, lane, (K - k) / 32 * BITS);
        size_t g = at * (K / GROUP) + (inside ? (k + C * lane) / GROUP : 0);
        float scale = inside ? float(scales[g]) : 0;
        float bias = inside ? float(biases[g]) : 0;
        #pragma clang loop unroll(full)
        for (uint j = 0; j < C; j++) {
            weight[r][j] = scale * float(codes >> (BITS * j) & MASK) + bias;
        }
    }
    #pragma clang loop unroll(full)
    for (uint m = 0; m < M; m++) {
        float xs[C] = {};
        if (inside) {
            load_elements<T, C>(X + size_t(m) * K + k + C * lane, xs);
        }
        #pragma clang loop unroll(full)
        for (uint r = 0; r < ROWS; r++) {
            float dot = 0;
            #pragma clang loop unroll(full)
            for (uint j = 0; j < C; j++) {
                dot += weight[r][j] * xs[j];
            }
            sum[m][r] += dot;
        }
    }
}

#pragma clang loop unroll(full)
for (uint m = 0; m < M; m++) {
    #pragma clang loop unroll(full)
    for (uint r = 0; r < ROWS; r++) {
        float total = simd_sum(sum[m][r]);
        if (lane == 0 && n + r < N) {
            Y[size_t(m) * N + n + r] = T(total);
        }
    }
}
