// A sum that nobody set to zero, and nobody knows for how many rounds.
// grid: 40 1 1
// threadgroup: 40 1 1
// in: a float32 320
// in: n uint32 1 = np.array([8])
// out: y float32 40
uint i = thread_position_in_grid.x;
float sum;
for (uint k = 0; k < n[0]; ++k) {
    sum = fma(a[40 * k + i], 2.0f, sum);  //! uninitialised sum[0] of 1 x40
}
y[i] = sum;
