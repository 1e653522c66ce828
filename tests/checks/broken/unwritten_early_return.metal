// Where the input is negative, nobody writes.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64 = np.arange(64) % 7 - 1.0
// out: y float32 64
// finds: unwritten-output y[0] of 64 x10
uint i = thread_position_in_grid.x;
if (a[i] < 0) {
    return;
}
y[i] = sqrt(a[i]);
