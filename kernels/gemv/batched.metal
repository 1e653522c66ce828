// Batched GEMV: Y[M, N] = X[M, K] · W[N, K]ᵀ for a small M. Each weight is loaded once for all M rows of X.
//
// A SIMD-group owns the M outputs Y[0, n] … Y[M - 1, n]. It reads row n of W once, lanes side by side along
// k, and multiplies each weight with M elements of X. Every lane keeps M sums, so M is a template parameter:
// the sums must be registers.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int N = W_shape[0];
int K = W_shape[1];

auto row = W + size_t(n) * K;
float sum[M];
for (int m = 0; m < M; m++) {
    sum[m] = 0;
}

int k = 0;
for (; k + 32 <= K; k += 32) {
    float weight = row[k + lane];
    for (int m = 0; m < M; m++) {
        sum[m] += float(X[m * K + k + lane]) * weight;
    }
}
if (k + lane < K) {
    float weight = row[k + lane];
    for (int m = 0; m < M; m++) {
        sum[m] += float(X[m * K + k + lane]) * weight;
    }
}

for (int m = 0; m < M; m++) {
    float total = simd_sum(sum[m]);
    if (lane == 0) {
        Y[size_t(m) * N + n] = T(total);
    }
}
