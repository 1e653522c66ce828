// Lanes leave the loop one by one, and the next one's value is asked for.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float x = a[i];
for (uint k = 0; k < 40 - i; ++k) {
    x += simd_shuffle_down(x, 1);  //! inactive-lane
}
y[i] = x;
