// Rows run into the next row; only the last row's end is outside.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a float32 8,9
// out: y float32 8
uint i = thread_position_in_grid.x;
float sum = 0;
for (uint k = 0; k <= 9; ++k) {
    sum += a[9 * i + k];  //! out-of-bounds a[72] of 72 x1
}
y[i] = sum;
