// cause: over-budget
// The kernel as it was: right, and its stores lie apart.
uint M = x_shape[0], N = x_shape[1];
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
if (m < M && n < N) {
    y[n * M + m] = x[m * N + n];
}
