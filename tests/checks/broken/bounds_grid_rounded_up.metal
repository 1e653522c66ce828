// The grid is a whole number of threadgroups, and nothing guards the rest.
// grid: 96 1 1
// threadgroup: 32 1 1
// in: a float32 70
// out: y float32 70
uint i = thread_position_in_grid.x;
float x = a[i];  //! out-of-bounds a[70] of 70 x26
y[i] = 2.0f * x;  //! out-of-bounds y[70] of 70 x26
