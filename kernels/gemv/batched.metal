// Batched GEMV: Y[M, N] = X[M, K] * W[N, K]^T for a small M. Each weight is loaded once for all M rows of X.
//
// A SIMD-group owns the M * ROWS outputs Y[0 ... M - 1, n ... n + ROWS - 1]. It reads ROWS rows of W once,
// lanes side by side along k, and multiplies each weight with M elements of X; each element of X serves ROWS
// weights. Every lane keeps M * ROWS sums, so both are template parameters: the sums must be registers.

int lane = thread_index_in_simdgroup;
int n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = W_shape[0];
int K = W_shape[1];

auto row = W + size_t(n) * K;

if (n + ROWS <= N) {
    float sum[M][ROWS] = {};
    int k = 0;
    for (; k + 32 <= K; k += 32) {
        float weight[ROWS];
        for (int r = 0; r < ROWS; r++) {
            weight[r] = row[size_t(r) * K + k + lane];
        }
        for (int m = 0; m < M; m++) {
            float xk = X[m * K + k + lane];
            for (int r = 0; r < ROWS; r++) {
                sum[m][r] += xk * weight[r];
            }
        }
    }
    if (k + lane < K) {
        for (int r = 0; r < ROWS; r++) {
            float weight = row[size_t(r) * K + k + lane];
            for (int m = 0; m < M; m++) {
                sum[m][r] += float(X[m * K + k + lane]) * weight;
            }
        }
    }
    for (int m = 0; m < M; m++) {
        for (int r = 0; r < ROWS; r++) {
            float total = simd_sum(sum[m][r]);
            if (lane == 0) {
                Y[size_t(m) * N + n + r] = T(total);
            }
        }
    }
} else {
    // The last SIMD-group may have fewer rows of W: one at a time, so that no row is read that is not its
    // own.
    for (; n < N; n++, row += K) {
        float sum[M] = {};
        for (int k = 0; k < K; k += 32) {
            if (k + lane < K) {
                float weight = row[k + lane];
                for (int m = 0; m < M; m++) {
                    sum[m] += float(X[m * K + k + lane]) * weight;
                }
            }
        }
        for (int m = 0; m < M; m++) {
            float total = simd_sum(sum[m]);
            if (lane == 0) {
                Y[size_t(m) * N + n] = T(total);
            }
        }
    }
}
