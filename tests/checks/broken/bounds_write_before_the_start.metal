// Everything one place to the left: the first is outside, the last is missing.
// grid: 64 1 1
// threadgroup: 64 1 1
// out: y float32 64
// finds: unwritten-output y[63] of 64 x1
int i = thread_position_in_grid.x;
y[i - 1] = float(i);  //! out-of-bounds y[-1] of 64 x1
