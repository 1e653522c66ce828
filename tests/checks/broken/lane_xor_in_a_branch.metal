// Partners on different sides of a branch.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float x = a[i];
if (i % 2 == 0) {
    x += simd_shuffle_xor(x, 1);  //! inactive-lane x16
}
y[i] = x;
