// cause: endless-loop
// The loop over k never counts.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K;) {
    sum += float(x[m * K + k]) * float(w[k * N + n]);
}
y[m * N + n] = T(sum);
