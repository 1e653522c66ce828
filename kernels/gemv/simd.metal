// SIMD GEMV: y[N] = W[N, K] · x[K]. One SIMD-group an output.
//
// SIMD-group s of a threadgroup owns y[n] and reads row n of W, its lanes side by side. A step takes 128
// elements: four a lane, 32 apart, into four sums that do not wait for each other. simd_sum adds the lanes'
// shares.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int K = W_shape[1];

auto row = W + size_t(n) * K;
float sum[4] = {0, 0, 0, 0};
int k = 0;
for (; k + 128 <= K; k += 128) {
    for (int i = 0; i < 4; i++) {
        sum[i] += float(x[k + 32 * i + lane]) * float(row[k + 32 * i + lane]);
    }
}
// Fewer than 128 elements are left, and in the last step some lanes may have none.
for (; k < K; k += 32) {
    if (k + lane < K) {
        sum[0] += float(x[k + lane]) * float(row[k + lane]);
    }
}

float total = simd_sum((sum[0] + sum[1]) + (sum[2] + sum[3]));
if (lane == 0) {
    y[n] = T(total);
}
