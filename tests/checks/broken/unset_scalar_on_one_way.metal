// Only some lanes set what all of them use.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float value;
if (i < 20) {
    value = a[i];
}
y[i] = 2 * value;  //! uninitialised value[0] of 1 x12
