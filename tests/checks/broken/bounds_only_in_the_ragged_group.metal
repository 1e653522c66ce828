// Right for whole threadgroups; the last is cut short, and so is what it loaded.
// grid: 80 1 1
// threadgroup: 32 1 1
// in: a float32 80
// out: y float32 80
uint i = thread_position_in_grid.x;
uint first = threadgroup_position_in_grid.x * 32;
y[i] = a[first + 31 - thread_position_in_threadgroup.x];  //! out-of-bounds a[95] of 80 x16
