// A sum that nobody set to zero.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 128
// out: y float32 32
uint i = thread_position_in_grid.x;
float sum;
for (uint k = 0; k < 4; ++k) {
    sum += a[32 * k + i];  //! uninitialised sum[0] of 1 x32
}
y[i] = sum;
