// Tiled GEMM against rows of weights: Y[M, N] = X[M, K] * W[N, K]^T. Tiles in threadgroup memory, one of them
// padded.
//
// As tiled.metal, but W holds one row an output. Lanes that lie side by side along k read W well, and then
// the tile has to be turned: lane c stores into row c of w_tile, all lanes into the same column. With rows of
// BN = 32 elements these 32 stores meet in one bank of threadgroup memory. One element of padding a row moves
// each store one bank on.

int j = thread_position_in_threadgroup.x;
int i = thread_position_in_threadgroup.y;
int m0 = threadgroup_position_in_grid.y * BM;
int n0 = threadgroup_position_in_grid.x * BN;
int M = X_shape[0];
int K = X_shape[1];
int N = W_shape[0];

threadgroup T x_tile[BM][BK];
threadgroup T w_tile[BK][BN + PAD];

float sum = 0;
for (int k0 = 0; k0 < K; k0 += BK) {
    for (int c = j; c < BK; c += BN) {
        bool inside = m0 + i < M && k0 + c < K;
        x_tile[i][c] = inside ? X[size_t(m0 + i) * K + k0 + c] : T(0);
    }
    for (int r = i; r < BN; r += BM) {
        for (int c = j; c < BK; c += BN) {
            bool inside = n0 + r < N && k0 + c < K;
            w_tile[c][r] = inside ? W[size_t(n0 + r) * K + k0 + c] : T(0);
        }
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
