// A pointer far from anything.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 32
uint i = thread_position_in_grid.x;
const device float* far = a + 1000000007;
y[i] = far[i];  //! out-of-bounds a[1000000007] of 64 x32
