// cause: writes-past-end
// The guard compares the row with N and the column with M.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= N || n >= M) {
    return;
}
float sum = 0;
for (uint k = 0; k < K; k++) {
    sum += float(x[m * K + k]) * float(w[k * N + n]);
}
y[m * N + n] = T(sum);
