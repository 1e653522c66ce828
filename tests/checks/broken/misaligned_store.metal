// Two halves at once, to odd places.
// grid: 8 1 1
// threadgroup: 8 1 1
// out: y float16 17
// finds: unwritten-output y[0] of 17 x1
uint i = thread_position_in_grid.x;
*(device half2*)(y + 2 * i + 1) = half2(i, 1);  //! misaligned y[1] of 17 x8
