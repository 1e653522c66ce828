// A grid with three axes, ragged along each.
// grid: 5 3 7
// threadgroup: 4 2 4
// in: a float32 7,3,5
// out: y float32 7,3,5
uint3 p = thread_position_in_grid;
uint k = (p.z * 3 + p.y) * 5 + p.x;
y[k] = a[104 - k];
