// A loop that the compiler unrolls goes one round too far.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[8];
for (uint k = 0; k < 8; ++k) {
    t[k] = a[(i + k) % 32];
}
float sum = 0;
for (uint k = 0; k <= 8; ++k) {
    sum += t[k];  //! out-of-bounds t[8] of 8 x32
}
y[i] = sum;
