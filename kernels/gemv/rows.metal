// GEMV by several rows: y[N] = W[N, K] * x[K]. One SIMD-group for ROWS outputs.
//
// A SIMD-group owns y[n] ... y[n + ROWS - 1]. Each x[k] it loads serves ROWS rows of W, so x is asked for
// 1/ROWS as often as with one row a SIMD-group. Each row has a sum of its own in every lane.

int lane = thread_index_in_simdgroup;
int n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = W_shape[0];
int K = W_shape[1];

auto row = W + size_t(n) * K;
float sum[ROWS] = {};

if (n + ROWS <= N) {
    int k = 0;
    for (; k + 32 <= K; k += 32) {
        float xk = x[k + lane];
        for (int r = 0; r < ROWS; r++) {
            sum[r] += xk * float(row[size_t(r) * K + k + lane]);
        }
    }
    if (k + lane < K) {
        float xk = x[k + lane];
        for (int r = 0; r < ROWS; r++) {
            sum[r] += xk * float(row[size_t(r) * K + k + lane]);
        }
    }
    for (int r = 0; r < ROWS; r++) {
        float total = simd_sum(sum[r]);
        if (lane == 0) {
            y[n + r] = T(total);
        }
    }
} else {
    // The last SIMD-group may have fewer rows: one at a time, so that no row is read that is not its own.
    for (; n < N; n++, row += K) {
        float one = 0;
        for (int k = 0; k < K; k += 32) {
            if (k + lane < K) {
                one += float(x[k + lane]) * float(row[k + lane]);
            }
        }
        one = simd_sum(one);
        if (lane == 0) {
            y[n] = T(one);
        }
    }
}
