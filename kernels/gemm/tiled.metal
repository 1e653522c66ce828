// Tiled GEMM: Y[M, N] = X[M, K] * W[K, N], all row-major. One thread an output, tiles in threadgroup memory.
//
// A threadgroup of BN x BM threads owns a tile of BM x BN outputs, thread (j, i) the output in its row i,
// column j. It walks along K in steps of BK. In each step all threads load a BM x BK tile of X and a BK x BN
// tile of W together, each its share; then every thread takes its row of one against its column of the other.
// An element of X is so asked for once a tile column, ceil(N / BN) times in all, and one of W ceil(M / BM)
// times.
//
// The launch has whole threadgroups: past the edges there are threads that help to load and own nothing. What
// lies outside the matrices is loaded as zero.

int j = thread_position_in_threadgroup.x;
int i = thread_position_in_threadgroup.y;
int m0 = threadgroup_position_in_grid.y * BM;
int n0 = threadgroup_position_in_grid.x * BN;
int M = X_shape[0];
int K = X_shape[1];
int N = W_shape[1];

threadgroup T x_tile[BM][BK];
threadgroup T w_tile[BK][BN];

float sum = 0;
for (int k0 = 0; k0 < K; k0 += BK) {
    for (int c = j; c < BK; c += BN) {
        bool inside = m0 + i < M && k0 + c < K;
        x_tile[i][c] = inside ? X[size_t(m0 + i) * K + k0 + c] : T(0);
    }
    for (int r = i; r < BK; r += BM) {
        bool inside = k0 + r < K && n0 + j < N;
        w_tile[r][j] = inside ? W[size_t(k0 + r) * N + n0 + j] : T(0);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there

    for (int k = 0; k < BK; k++) {
        sum += float(x_tile[i][k]) * float(w_tile[k][j]);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody still reads them
}

if (m0 + i < M && n0 + j < N) {
    Y[size_t(m0 + i) * N + n0 + j] = T(sum);
}
