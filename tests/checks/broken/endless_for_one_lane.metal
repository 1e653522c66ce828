// A number that doubles never gets to 100.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a uint32 32 = np.where(np.arange(32) == 13, 0, 1)
// out: y uint32 32
// budget: 10000
// finds: unwritten-output y[0] of 32 x32
uint i = thread_position_in_grid.x;
uint x = a[i];
while (x < 100) {  //! endless-loop x1
    x += x;
}
y[i] = x;
