// Wide GEMV: y[N] = W[N, K] * x[K] for a large N. x goes through threadgroup memory, TILE elements at a time.
//
// A threadgroup owns SIMDGROUPS * ROWS outputs, each of its SIMD-groups ROWS of them. All its threads load a
// tile of x together, so the threadgroup asks device memory for each x[k] once, whatever K is. Then each
// SIMD-group takes the tile against its own rows, lanes side by side along k.
//
// The launch has whole threadgroups: past the end of y there are threads that help to load and own nothing.

int lane = thread_index_in_simdgroup;
int t = thread_index_in_threadgroup;
int n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = W_shape[0];
int K = W_shape[1];

threadgroup T tile[TILE];

int rows = min(ROWS, N - n);
auto row = W + size_t(n < N ? n : 0) * K;
float sum[ROWS] = {};

for (int k0 = 0; k0 < K; k0 += TILE) {
    int width = min(TILE, K - k0);
    threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody still reads the tile before
    for (int i = 0; i < TILE; i += 32 * SIMDGROUPS) {
        if (i + t < width) {
            tile[i + t] = x[k0 + i + t];
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // all of this tile is there

    if (rows == ROWS) {
        int k = 0;
        for (; k + 32 <= width; k += 32) {
            float xk = tile[k + lane];
            for (int r = 0; r < ROWS; r++) {
                sum[r] += xk * float(row[size_t(r) * K + k0 + k + lane]);
            }
        }
        if (k + lane < width) {
            float xk = tile[k + lane];
            for (int r = 0; r < ROWS; r++) {
                sum[r] += xk * float(row[size_t(r) * K + k0 + k + lane]);
            }
        }
    } else {
        for (int k = 0; k < width; k += 32) {
            if (k + lane < width) {
                float xk = tile[k + lane];
                for (int r = 0; r < ROWS; r++) {
                    if (r < rows) {
                        sum[r] += xk * float(row[size_t(r) * K + k0 + k + lane]);
                    }
                }
            }
        }
    }
}

for (int r = 0; r < ROWS; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0 && r < rows) {
        y[n + r] = T(total);
    }
}
