// The neighbours of each element: the first has none.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[4];
for (int k = 0; k < 4; ++k) {
    t[k] = a[(i + k) % 32];
}
float sum = 0;
for (int k = 0; k < 4; ++k) {
    sum += t[k] - t[k - 1];  //! out-of-bounds t[-1] of 4 x32
}
y[i] = sum;
