// Q8_0 GEMV for M rows of X and ROWS rows of W: Y[M, N] = X[M, K] * W[N, K]^T. M may be 1.
//
// A SIMD-group owns the M * ROWS outputs Y[0 ... M - 1, n ... n + ROWS - 1]. As side by side, sixteen lanes
// share a block of each row; a pair of x serves ROWS rows of W, and a pair of weights M rows of X. Every lane
// keeps M * ROWS sums, so both are template parameters: the sums must be registers.
//
// Rows past the last one are taken to be the last one, and are not stored: no test in the loop.

int lane = thread_index_in_simdgroup;
int n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = blocks_shape[0];
int B = blocks_shape[1];
int K = B * 32;
int pair = lane % 16;

size_t row[ROWS];
for (int r = 0; r < ROWS; r++) {
    row[r] = size_t(min(n + r, N - 1)) * B * 34;
}

float sum[M][ROWS] = {};
for (int b = lane / 16; b < B; b += 2) {
    float2 w[ROWS];
    for (int r = 0; r < ROWS; r++) {
        auto block = (const device ushort*)(blocks + row[r] + b * 34);
        w[r] = float2(as_type<char2>(block[1 + pair])) * float(as_type<half>(block[0]));
    }
    for (int m = 0; m < M; m++) {
        auto at = X + size_t(m) * K + b * 32 + 2 * pair;
        float x0 = at[0];
        float x1 = at[1];
        for (int r = 0; r < ROWS; r++) {
            sum[m][r] += w[r].x * x0 + w[r].y * x1;
        }
    }
}

for (int m = 0; m < M; m++) {
    for (int r = 0; r < ROWS; r++) {
        float total = simd_sum(sum[m][r]);
        if (lane == 0 && n + r < N) {
            Y[size_t(m) * N + n + r] = T(total);
        }
    }
}
