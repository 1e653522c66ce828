// cause: k-tail
// Four products at a time, and nothing for what is left over.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K / 4 * 4; k += 4) {
    for (uint i = 0; i < 4; i++) {
        sum += float(x[m * K + k + i]) * float(w[(k + i) * N + n]);
    }
}
y[m * N + n] = T(sum);
