// Naive GEMV over rows: y[N] = W[N, K] * x[K]. One thread an output.
//
// Thread n owns y[n] and reads row n of W from end to end. Its neighbour reads the next row: at every step
// the 32 lanes of a SIMD-group ask for elements that lie K apart, each in a piece of memory of its own.

int n = thread_position_in_grid.x;
int K = W_shape[1];

auto row = W + size_t(n) * K;
float sum = 0;
for (int k = 0; k < K; k++) {
    sum += float(x[k]) * float(row[k]);
}
y[n] = T(sum);
