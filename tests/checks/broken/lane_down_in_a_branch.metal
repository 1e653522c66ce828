// A tree of shuffles inside a branch that half the lanes take.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float x = a[i];
if (i < 16) {
    x += simd_shuffle_down(x, 8);  //! inactive-lane x8
}
y[i] = x;
