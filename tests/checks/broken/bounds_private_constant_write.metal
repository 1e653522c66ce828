// A write one past a private array.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[3];
for (uint k = 0; k <= 3; ++k) {
    t[k] = a[(i + k) % 32];  //! out-of-bounds t[3] of 3 x32
}
y[i] = t[0] + t[1] + t[2];
