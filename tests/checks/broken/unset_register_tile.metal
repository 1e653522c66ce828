// Sums of a tile, of which the last column is forgotten.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 128
// in: b float32 4
// out: y float32 32
uint i = thread_position_in_grid.x;
float sums[4][4];
for (uint r = 0; r < 4; ++r) {
    for (uint c = 0; c < 3; ++c) {
        sums[r][c] = 0;
    }
}
for (uint r = 0; r < 4; ++r) {
    for (uint c = 0; c < 4; ++c) {
        sums[r][c] += a[32 * r + i] * b[c];  //! uninitialised sums[3] of 16 x128
    }
}
y[i] = sums[0][0] + sums[1][1] + sums[2][2] + sums[3][3];
