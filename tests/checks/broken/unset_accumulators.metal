// Sums that nobody set to zero.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 128
// out: y float32 32
uint i = thread_position_in_grid.x;
float sums[2];
for (uint k = 0; k < 4; ++k) {
    sums[k % 2] += a[32 * k + i];  //! uninitialised sums[0] of 2
}
y[i] = sums[0] * sums[1];
