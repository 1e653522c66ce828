// Which array it is depends on the thread.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// in: b float32 16
// out: y float32 32
uint i = thread_position_in_grid.x;
const device float* from = i % 2 ? a : b;
y[i] = from[i];  //! out-of-bounds b[16] of 16 x8
