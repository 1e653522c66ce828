// An output of truth values, half of them missing.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y bool_ 32
// finds: unwritten-output y[16] of 32 x16
uint i = thread_position_in_grid.x;
if (i < 16) {
    y[i] = a[i] > 0;
}
