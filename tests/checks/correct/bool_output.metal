// Truth values, a byte each.
// grid: 33 1 1
// threadgroup: 32 1 1
// in: a float32 33
// out: y bool_ 33
uint i = thread_position_in_grid.x;
y[i] = a[i] > 0;
