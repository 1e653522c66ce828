// One index of the data is wild.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// in: index uint32 64 = np.where(np.arange(64) == 37, 0x3fffffff, np.arange(64)[::-1])
// out: y float32 64
uint i = thread_position_in_grid.x;
y[i] = a[index[i]];  //! out-of-bounds a[1073741823] of 64 x1
