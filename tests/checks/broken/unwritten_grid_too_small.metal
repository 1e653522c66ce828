// Fewer threads than outputs.
// grid: 60 1 1
// threadgroup: 32 1 1
// out: y float32 64
// finds: unwritten-output y[60] of 64 x4
uint i = thread_position_in_grid.x;
y[i] = float(i);
