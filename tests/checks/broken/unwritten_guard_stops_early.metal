// `n - 1` where `n` was meant.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: n uint32 scalar = 64
// out: y float32 64
// finds: unwritten-output y[63] of 64 x1
uint i = thread_position_in_grid.x;
if (i < n - 1) {
    y[i] = float(i);
}
