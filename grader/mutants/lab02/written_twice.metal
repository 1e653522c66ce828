// cause: same-value-race
// Each thread stores its right neighbour as well, which stores it too: the same number, twice.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
for (uint c = n; c < min(n + 2, N); c++) {
    float sum = 0;
    for (uint k = 0; k < K; k++) {
        sum += float(x[m * K + k]) * float(w[k * N + c]);
    }
    y[m * N + c] = T(sum);
}
