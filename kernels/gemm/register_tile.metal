// Tiled GEMM with a register tile: Y[M, N] = X[M, K] * W[K, N], all row-major. ROWS x COLS outputs a thread.
//
// A threadgroup of 32 x DOWN threads owns a tile of BM x BN outputs, BM = DOWN * ROWS, BN = 32 * COLS. Thread
// (j, i) owns those in rows i, i + DOWN, ... and columns j, j + 32, and so on. For each k it reads ROWS
// elements of X and COLS of W from threadgroup memory and makes ROWS * COLS products of them: one element
// read serves COLS or ROWS products, not one. A SIMD-group is one i: its lanes share what they read of X, and
// read W side by side.
//
// Loads, edges and barriers as in tiled.metal, with each SIMD-group loading whole rows.

constexpr int BM = DOWN * ROWS;
constexpr int BN = 32 * COLS;

int j = thread_position_in_threadgroup.x;
int i = thread_position_in_threadgroup.y;
int m0 = threadgroup_position_in_grid.y * BM;
int n0 = threadgroup_position_in_grid.x * BN;
int M = X_shape[0];
int K = X_shape[1];
int N = W_shape[1];

threadgroup T x_tile[BM][BK];
threadgroup T w_tile[BK][BN];

float sum[ROWS][COLS] = {};

for (int k0 = 0; k0 < K; k0 += BK) {
    for (int r = i; r < BM; r += DOWN) {
        for (int c = j; c < BK; c += 32) {
            bool inside = m0 + r < M && k0 + c < K;
            x_tile[r][c] = inside ? X[size_t(m0 + r) * K + k0 + c] : T(0);
        }
    }
    for (int r = i; r < BK; r += DOWN) {
        for (int c = j; c < BN; c += 32) {
            bool inside = k0 + r < K && n0 + c < N;
            w_tile[r][c] = inside ? W[size_t(k0 + r) * N + n0 + c] : T(0);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there

    for (int k = 0; k < BK; k++) {
        float w[COLS];
        for (int c = 0; c < COLS; c++) {
            w[c] = w_tile[k][j + 32 * c];
        }
        for (int r = 0; r < ROWS; r++) {
            float x = x_tile[i + DOWN * r][k];
            for (int c = 0; c < COLS; c++) {
                sum[r][c] += x * w[c];
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody still reads them
}

for (int r = 0; r < ROWS; r++) {
    for (int c = 0; c < COLS; c++) {
        int m = m0 + i + DOWN * r;
        int n = n0 + j + 32 * c;
        if (m < M && n < N) {
            Y[size_t(m) * N + n] = T(sum[r][c]);
        }
    }
}
