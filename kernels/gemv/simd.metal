// SIMD GEMV: y[N] = W[N, K] * x[K]. One SIMD-group an output.
//
// SIMD-group s of a threadgroup owns y[n] and reads row n of W, its lanes side by side. A step takes 256
// elements: eight a lane, 32 apart, into eight sums. No load and no sum waits for another. simd_sum adds the
// lanes' shares.

constexpr int SUMS = 8;

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int K = W_shape[1];

auto row = W + size_t(n) * K;
float sum[SUMS] = {};
int k = 0;
for (; k + 32 * SUMS <= K; k += 32 * SUMS) {
    for (int i = 0; i < SUMS; i++) {
        sum[i] += float(x[k + 32 * i + lane]) * float(row[k + 32 * i + lane]);
    }
}
// Less than a whole step is left, and in the last 32 some lanes may have nothing.
for (; k < K; k += 32) {
    if (k + lane < K) {
        sum[0] += float(x[k + lane]) * float(row[k + lane]);
    }
}

for (int i = 1; i < SUMS; i++) {
    sum[0] += sum[i];
}
float total = simd_sum(sum[0]);
if (lane == 0) {
    y[n] = T(total);
}
