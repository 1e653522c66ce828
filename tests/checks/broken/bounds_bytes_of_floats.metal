// Bytes counted as if they were floats, through another type of pointer.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y uint32 32
uint i = thread_position_in_grid.x;
const device uchar* bytes = (const device uchar*)a;
y[i] = bytes[4 * i + 4];  //! out-of-bounds a[128] of 128 x1
