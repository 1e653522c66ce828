// Batched affine GEMV: Y[M, N] = X[M, K] * W[N, K]^T for a small M. Each code is loaded once for all rows
// of X.
//
// A SIMD-group owns the M * ROWS outputs of ROWS rows of W. It makes each weight, scale * q + bias, once, and
// multiplies it with M elements of X; each of those serves ROWS weights. The sums must be registers, so M and
// ROWS are template parameters. Rows past N are dealt with as in rows.metal.

constexpr uint C = codes_of<BITS>();
constexpr uint MASK = (1u << BITS) - 1;

uint lane = thread_index_in_simdgroup;
uint n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
uint N = packed_shape[0];
uint bytes = packed_shape[1];
uint K = bytes * 8 / BITS;

const device uchar* row[ROWS];
size_t group[ROWS];  // of the row's first scale and bias
#pragma clang loop unroll(full)
for (uint r = 0; r < ROWS; r++) {
    size_t at = min(n + r, N - 1);
    row[r] = packed + at * bytes;
    group[r] = at * (K / GROUP);
}

float sum[M][ROWS] = {};
uint k = 0;
for (; k + 32 * C <= K; k += 32 * C) {
    float weight[ROWS][C];
    #pragma clang loop unroll(full)
    for (uint r = 0; r < ROWS; r++) {
        uint codes = share_of<BITS, C>(row[r] + k / 8 * BITS, lane, C * BITS);
        size_t g = group[r] + k / GROUP + C * lane / GROUP;
        float scale = float(scales[g]);
        float bias = float(biases[g]);
        #pragma clang loop unroll(full)
        for (uint j = 0; j < C; j++) {
            weight[r][j] = scale * float(codes >> (BITS * j) & MASK) + bias;
        }
    }
    #pragma clang loop unroll(full)
    for (uint m = 0; m < M; m++) {
        float xs[C];
        load_elements<T, C>(X + size_t(m) * K + k + C * lane, xs);
        #pragma clang loop unroll(full)
        for (uint r = 0; r < ROWS; r++) {
            #pragma clang loop unroll(full)
            for (uint j = 0; j < C; j++) {
                sum[m][r] += weight[r][j] * xs[j];
            }
        }
    }
}
// Less than a step is left: the weights and x of lanes past the end are zero.
if (k < K) {
    bool inside = k + C * lane < K;
    float weight[ROWS][C];
    #pragma clang loop unroll(full)
    for (uint r = 0; r < ROWS; r++) {
        uint codes = share_of<BITS, C>(row[r] + k / 8 * BITS, lane, (K - k) / 32 * BITS);
        size_t g = group[r] + (inside ? (k + C * lane) / GROUP : 0);
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
            #pragma clang loop unroll(full)
            for (uint j = 0; j < C; j++) {
                sum[m][r] += weight[r][j] * xs[j];
            }
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
