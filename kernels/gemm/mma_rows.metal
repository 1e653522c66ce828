// MMA GEMM against rows of weights: Y[M, N] = X[M, K] * W[N, K]^T, all row-major, by 8x8 SIMD-group matrices.
//
// As mma.metal, but W holds one row an output, so both tiles are loaded alike: a row of 32 elements a
// SIMD-group, lanes side by side along k. The tile of W stays as it lies in memory, and simdgroup_load turns
// each fragment of it on the way into registers.
//
// The tile of outputs is DOWN * FM * 8 rows by ACROSS * FN * 8 columns. A low one serves a few rows of X, a
// large one asks for each element of X and W less often.

constexpr int BM = DOWN * FM * 8;
constexpr int BN = ACROSS * FN * 8;
constexpr int BK = 32;
constexpr int SIMDGROUPS = DOWN * ACROSS;
// 16 bytes of padding a row: the eight rows of a fragment then start in different banks.
constexpr int LD = BK + 16 / sizeof(T);

int lane = thread_index_in_simdgroup;
int group = simdgroup_index_in_threadgroup;
int m0 = threadgroup_position_in_grid.y * BM;
int n0 = threadgroup_position_in_grid.x * BN;
int fm = group / ACROSS * FM * 8;  // this SIMD-group's first row and column in the tile
int fn = group % ACROSS * FN * 8;
int M = X_shape[0];
int K = X_shape[1];
int N = W_shape[0];

threadgroup T x_tile[BM * LD];
threadgroup T w_tile[BN * LD];
threadgroup float strips[SIMDGROUPS][8 * FN * 8];

simdgroup_matrix<float, 8, 8> sums[FM][FN];
for (int i = 0; i < FM; i++) {
    for (int j = 0; j < FN; j++) {
        sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
    }
}

for (int k0 = 0; k0 < K; k0 += BK) {
    for (int r = group; r < BM; r += SIMDGROUPS) {
        bool inside = m0 + r < M && k0 + lane < K;
        x_tile[r * LD + lane] = inside ? X[size_t(m0 + r) * K + k0 + lane] : T(0);
    }
    for (int r = group; r < BN; r += SIMDGROUPS) {
        bool inside = n0 + r < N && k0 + lane < K;
        w_tile[r * LD + lane] = inside ? W[size_t(n0 + r) * K + k0 + lane] : T(0);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there

    for (int k = 0; k < BK; k += 8) {
        simdgroup_matrix<T, 8, 8> x[FM];
        simdgroup_matrix<T, 8, 8> w[FN];
        for (int i = 0; i < FM; i++) {
            simdgroup_load(x[i], x_tile + (fm + 8 * i) * LD + k, LD);
        }
        for (int j = 0; j < FN; j++) {
            simdgroup_load(w[j], w_tile + (fn + 8 * j) * LD + k, LD, ulong2(0), true);
        }
        for (int i = 0; i < FM; i++) {
            for (int j = 0; j < FN; j++) {
                simdgroup_multiply_accumulate(sums[i][j], x[i], w[j], sums[i][j]);
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody still reads them
}

threadgroup float* strip = strips[group];
for (int i = 0; i < FM; i++) {
    for (int j = 0; j < FN; j++) {
        simdgroup_store(sums[i][j], strip + 8 * j, FN * 8);
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);  // all lanes see the strip
    for (int e = lane; e < 8 * FN * 8; e += 32) {
        int m = m0 + fm + 8 * i + e / (FN * 8);
        int n = n0 + fn + e % (FN * 8);
        if (m < M && n < N) {
            Y[size_t(m) * N + n] = T(strip[e]);
        }
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);  // the next strip goes to the same place
}
