// A neighbour's element is read with no barrier after it was written.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
y[i] = t[i ^ 1];  //! race t x64 with -1
