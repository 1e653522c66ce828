// 20 threads add up by shuffles as if they were 32.
// grid: 20 1 1
// threadgroup: 20 1 1
// in: a float32 20
// out: y float32 1
uint i = thread_position_in_grid.x;
float x = a[i];
for (ushort d = 16; d > 0; d /= 2) {
    x += simd_shuffle_down(x, d);  //! inactive-lane
}
if (i == 0) {
    y[0] = x;
}
