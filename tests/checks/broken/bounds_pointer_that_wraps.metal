// A row number of -1, as an unsigned number, times the row's length.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 32
uint i = thread_position_in_grid.x;
uint row = i / 16 - 1;
y[i] = a[row * 16 + i % 16];  //! out-of-bounds a[4294967280] of 64 x16
