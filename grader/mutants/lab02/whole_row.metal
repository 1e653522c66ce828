// cause: over-budget
// Every thread computes the whole row and keeps one element of it.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
for (uint c = 0; c < N; c++) {
    float sum = 0;
    for (uint k = 0; k < K; k++) {
        sum += float(x[m * K + k]) * float(w[k * N + c]);
    }
    if (c == n) {
        y[m * N + n] = T(sum);
    }
}
