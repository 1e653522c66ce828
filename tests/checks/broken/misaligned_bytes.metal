// A float out of the middle of bytes.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a uint8 64 = np.arange(64) + 7
// out: y uint32 8
uint i = thread_position_in_grid.x;
y[i] = *(const device uint*)(a + 6 * i);  //! misaligned a[1] of 16 x4
