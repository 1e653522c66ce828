// MMA GEMM: Y[M, N] = X[M, K] * W[K, N], all row-major, by 8x8 SIMD-group matrices.
//
// A threadgroup of DOWN x ACROSS SIMD-groups owns a tile of BM x BN outputs; each SIMD-group owns FM x FN
// fragments of 8x8 in it, accumulated in float whatever T is. Along K the threadgroup goes in steps of 32:
// all its threads load a BM x 32 tile of X and a 32 x BN tile of W into threadgroup memory, a row a
// SIMD-group, lanes side by side. Then each SIMD-group takes four slices of 8 along k: FM fragments of X, FN
// of W, FM * FN products.
//
// What lies outside the matrices is loaded as zero, so only the stores look at the edges. A fragment cannot
// be stored in part: each SIMD-group puts a strip of FN fragments into threadgroup memory and copies from
// there what is inside.

constexpr int BM = DOWN * FM * 8;
constexpr int BN = ACROSS * FN * 8;
constexpr int BK = 32;
constexpr int SIMDGROUPS = DOWN * ACROSS;
// 16 bytes of padding a row: the eight rows of a fragment then start in different banks.
constexpr int LDX = BK + 16 / sizeof(T);
constexpr int LDW = BN + 16 / sizeof(T);

int lane = thread_index_in_simdgroup;
int group = simdgroup_index_in_threadgroup;
int m0 = threadgroup_position_in_grid.y * BM;
int n0 = threadgroup_position_in_grid.x * BN;
int fm = group / ACROSS * FM * 8;  // this SIMD-group's first row and column in the tile
int fn = group % ACROSS * FN * 8;
int M = X_shape[0];
int K = X_shape[1];
int N = W_shape[1];

threadgroup T x_tile[BM * LDX];
threadgroup T w_tile[BK * LDW];
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
        x_tile[r * LDX + lane] = inside ? X[size_t(m0 + r) * K + k0 + lane] : T(0);
    }
    for (int r = group; r < BK; r += SIMDGROUPS) {
        for (int c = 0; c < BN; c += 32) {
            bool inside = k0 + r < K && n0 + c + lane < N;
            w_tile[r * LDW + c + lane] = inside ? W[size_t(k0 + r) * N + n0 + c + lane] : T(0);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there

    for (int k = 0; k < BK; k += 8) {
        simdgroup_matrix<T, 8, 8> x[FM];
        simdgroup_matrix<T, 8, 8> w[FN];
        for (int i = 0; i < FM; i++) {
            simdgroup_load(x[i], x_tile + (fm + 8 * i) * LDX + k, LDX);
        }
        for (int j = 0; j < FN; j++) {
            simdgroup_load(w[j], w_tile + k * LDW + fn + 8 * j, LDW);
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
