// cause: axes-swapped
// Takes x for the row and y for the column, and keeps the grid as it was.
uint m = thread_position_in_grid.x;
uint n = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K; k++) {
    sum += float(x[m * K + k]) * float(w[k * N + n]);
}
y[m * N + n] = T(sum);
