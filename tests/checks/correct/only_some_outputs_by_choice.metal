// With an initial value, an output need not be written.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
// option: init_value = 0
uint i = thread_position_in_grid.x;
if (a[i] > 0) {
    y[i] += a[i];
}
