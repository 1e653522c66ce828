// Two elements a thread, one of them written.
// grid: 32 1 1
// threadgroup: 32 1 1
// out: y float32 64
// finds: unwritten-output y[1] of 64 x32
uint i = thread_position_in_grid.x;
y[2 * i] = float(i);
