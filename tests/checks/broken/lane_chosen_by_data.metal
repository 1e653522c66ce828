// The lane to ask comes from the data, in a branch.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// in: from uint32 32 = (np.arange(32) * 3 + 1) % 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float x = a[i];
if (i >= 8) {
    x = simd_shuffle(x, ushort(from[i]));  //! inactive-lane x5
}
y[i] = x;
