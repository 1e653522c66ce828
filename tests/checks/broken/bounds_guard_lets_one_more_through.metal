// `<=` where `<` was meant.
// grid: 96 1 1
// threadgroup: 32 1 1
// in: a float32 70
// in: n uint32 scalar = 70
// out: y float32 70
uint i = thread_position_in_grid.x;
if (i <= n) {
    y[i] = -1.0f;  //! out-of-bounds y[70] of 70 x1
}
