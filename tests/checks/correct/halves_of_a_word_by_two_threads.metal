// Two threads, two halves of a uint.
// grid: 64 1 1
// threadgroup: 32 1 1
// out: y uint32 32
uint i = thread_position_in_grid.x;
((device ushort*)y)[i] = ushort(3 * i);
