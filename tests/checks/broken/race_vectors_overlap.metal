// Four floats at once where there is room for three.
// grid: 8 1 1
// threadgroup: 8 1 1
// out: y float32 25
uint i = thread_position_in_grid.x;
for (uint k = 0; k < 4; ++k) {
    y[3 * i + k] = float(4 * i + k);  //! race y[3] of 25 x7 with 0
}
