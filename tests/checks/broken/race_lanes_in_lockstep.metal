// The old habit: the last 32 threads are one SIMD-group, so no barrier is needed. It is.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
threadgroup float t[32];
t[i] = a[i];
y[i] = t[31 - i];  //! race t x32 with -1
