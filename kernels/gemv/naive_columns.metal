// Naive GEMV over columns: y[N] = x[K] * W[K, N]. One thread an output.
//
// Thread n owns y[n] and walks down column n of W. Its neighbour walks down the next column: at every step
// the 32 lanes of a SIMD-group read 32 elements that lie side by side, and all share x[k].

int n = thread_position_in_grid.x;
int K = W_shape[0];
int N = W_shape[1];

auto column = W + n;
float sum = 0;
for (int k = 0; k < K; k++) {
    sum += float(x[k]) * float(column[size_t(k) * N]);
}
y[n] = T(sum);
