// A private array whose index the compiler knows.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[4] = {a[i], 1, 2, 3};
y[i] = t[0];
if (i > 15) {
    y[i] = t[4];  //! out-of-bounds t[4] of 4 x16
}
