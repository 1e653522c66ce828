// A transposing copy, one thread an element: Y[N, M] = transpose of X[M, N].
//
// Neighbouring lanes have neighbouring n: they read X side by side, and store M elements apart in Y.

uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = X_shape[0];
uint N = X_shape[1];

if (m >= M || n >= N) {
    return;
}
Y[size_t(n) * M + m] = X[size_t(m) * N + n];
