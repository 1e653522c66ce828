// Numbers of eight bytes, each half written by itself.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y complex64 32
uint i = thread_position_in_grid.x;
y[i] = complex64_t(a[i], -a[i]);
