// cause: nan-spread
// Multiplies by zero where it should not look at all.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint row = 0; row < M; row++) {
    for (uint k = 0; k < K; k++) {
        float mine = row == m ? 1.0f : 0.0f;
        sum += mine * float(x[row * K + k]) * float(w[k * N + n]);
    }
}
y[m * N + n] = T(sum);
