// cause: over-budget
// The textbook kernel: right, and nothing is shared.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = X_shape[0];
uint K = X_shape[1];
uint N = W_shape[1];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K; k++) {
    sum += float(X[m * K + k]) * float(W[k * N + n]);
}
Y[m * N + n] = T(sum);
