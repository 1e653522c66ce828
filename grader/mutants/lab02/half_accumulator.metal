// cause: half-accumulator
// The sum is kept in the type of the inputs.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
T sum = 0;
for (uint k = 0; k < K; k++) {
    sum += x[m * K + k] * w[k * N + n];
}
y[m * N + n] = sum;
