// One thread, one element, two values.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
y[i] = 0;
if (a[i] > 0) {
    y[i] = a[i];
}
