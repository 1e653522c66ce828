// Nested GEMM: Y[M, N] = X[M, K] * w[N, K]^T, computed as Y^T = w * X^T by 8x8 SIMD-group matrices.
//
// A threadgroup of four SIMD-groups owns 64 columns n of Y and 8 * FM rows m. In the fragments n goes
// down and m across: each SIMD-group owns 2 x FM of them, so that a small M leaves no SIMD-group
// without work. Along K the threadgroup goes in steps of 32. Two threads share a row of w: each makes
// 16 weights of its codes, in threadgroup memory and nowhere else. Tiles and sums are float: a weight
// is not rounded again.
//
// Without planes (P = 0), `codes` holds words of four codes; with P planes, their words of 32 weights.

constexpr int BN = 64;
constexpr int BM = 8 * FM;
constexpr int BK = 32;
// 16 bytes of padding a row: the eight rows of a fragment then start in different banks.
constexpr int LD = BK + 4;

int thread_ = thread_index_in_threadgroup;
int lane = thread_index_in_simdgroup;
int group = simdgroup_index_in_threadgroup;
int n0 = threadgroup_position_in_grid.x * BN;
int m0 = threadgroup_position_in_grid.y * BM;
int M = X_shape[0];
int K = X_shape[1];
int N = scales_shape[0];

threadgroup float w_tile[BN * LD];
threadgroup float x_tile[BM * LD];
threadgroup float strips[4][8 * 16];

simdgroup_matrix<float, 8, 8> sums[2][FM];
for (int i = 0; i < 2; i++) {
    for (int j = 0; j < FM; j++) {
        sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
    }
}

for (int k0 = 0; k0 < K; k0 += BK) {
    int row = thread_ / 2;
    int side = thread_ % 2;  // which half of the row's 32 weights
    if (n0 + row < N) {
        size_t n = n0 + row;
        size_t g = n * (K / GROUP) + k0 / GROUP;
        float scale = float(scales[g]) * (1 << (8 - R));
        float bias = float(biases[g]);
        if (P == 0) {
            auto from = codes + (n * K + k0) / 4 + 4 * side;
            for (int i = 0; i < 4; i++) {
                float4 weight = scale * codes_in<R>(from[i]) + bias;
                for (int j = 0; j < 4; j++) {
                    w_tile[row * LD + 16 * side + 4 * i + j] = weight[j];
                }
            }
        } else {
            uint held[P + 1];
            for (int p = 0; p < P; p++) {
                held[p] = codes[(p * size_t(N) + n) * (K / 32) + k0 / 32];
            }
            for (int part = 4 * side; part < 4 * side + 4; part++) {
                float4 weight = scale * codes_in<R, P>(held, part) + bias;
                for (int j = 0; j < 4; j++) {
                    w_tile[row * LD + part + 8 * j] = weight[j];
                }
            }
        }
    } else {
        for (int j = 0; j < 16; j++) {
            w_tile[row * LD + 16 * side + j] = 0;
        }
    }
    for (int r = group; r < BM; r += 4) {
        x_tile[r * LD + lane] = m0 + r < M ? float(X[size_t(m0 + r) * K + k0 + lane]) : 0.0f;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there

    for (int k = 0; k < BK; k += 8) {
        simdgroup_matrix<float, 8, 8> w[2];
        simdgroup_matrix<float, 8, 8> x[FM];
        for (int i = 0; i < 2; i++) {
            simdgroup_load(w[i], w_tile + (16 * group + 8 * i) * LD + k, LD);
        }
        for (int j = 0; j < FM; j++) {
            simdgroup_load(x[j], x_tile + 8 * j * LD + k, LD, ulong2(0), true);
        }
        for (int i = 0; i < 2; i++) {
            for (int j = 0; j < FM; j++) {
                simdgroup_multiply_accumulate(sums[i][j], w[i], x[j], sums[i][j]);
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody still reads them
}

// Turned back on the way out: a strip holds 8 rows m of 16 neighbours n.
threadgroup float* strip = strips[group];
for (int j = 0; j < FM; j++) {
    for (int i = 0; i < 2; i++) {
        simdgroup_store(sums[i][j], strip + 8 * i, 16, ulong2(0), true);
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);  // all lanes see the strip
    for (int e = lane; e < 8 * 16; e += 32) {
        int m = m0 + 8 * j + e / 16;
        int n = n0 + 16 * group + e % 16;
        if (m < M && n < N) {
            Y[size_t(m) * N + n] = T(strip[e]);
        }
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);  // the next strip goes to the same place
}
