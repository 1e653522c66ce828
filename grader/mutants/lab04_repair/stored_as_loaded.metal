// cause: not-transposed
// A plain copy: y is x as it lies.
uint M = x_shape[0], N = x_shape[1];
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
if (m < M && n < N) {
    y[m * N + n] = x[m * N + n];
}
