// Every lane asks for lane 31, which is gone.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 31
uint i = thread_position_in_grid.x;
if (i >= 31) {
    return;
}
y[i] = simd_shuffle(a[i], ushort(31));  //! inactive-lane x31
