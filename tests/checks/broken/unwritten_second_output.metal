// One of two outputs is forgotten.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
// out: z float32 64
// finds: unwritten-output z[0] of 64 x64
uint i = thread_position_in_grid.x;
y[i] = a[i];
