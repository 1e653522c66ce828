// Half of each element's bytes.
// grid: 32 1 1
// threadgroup: 32 1 1
// out: y uint32 32
// finds: unwritten-output y[0] of 32 x32
uint i = thread_position_in_grid.x;
((device ushort*)y)[2 * i] = ushort(i);
