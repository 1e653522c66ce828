// Each thread takes every 64th element; some take one more.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 203
// out: y float32 203
uint i = thread_position_in_grid.x;
for (uint k = i; k < 203; k += threads_per_grid.x) {
    y[k] = a[k] * a[202 - k];
}
