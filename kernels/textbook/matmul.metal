// Textbook matmul: Y[M, N] = X[M, K] * W[K, N], all row-major.
//
// Thread (n, m) owns the output Y[m, n]. It reads row m of X and column n of W, K elements each.
// Neighbouring lanes have neighbouring n: they share X[m, k], and their W[k, n] lie side by side.

int n = thread_position_in_grid.x;
int m = thread_position_in_grid.y;
int M = X_shape[0];
int K = X_shape[1];
int N = W_shape[1];

// A launch may round its grid up to whole threadgroups. The threads past the edge own nothing.
if (m >= M || n >= N) {
    return;
}

auto row = X + size_t(m) * K;
float sum = 0;
for (int k = 0; k < K; k++) {
    sum += float(row[k]) * float(W[size_t(k) * N + n]);
}
Y[size_t(m) * N + n] = T(sum);
