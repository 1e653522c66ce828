// A histogram without atomics.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a uint32 64 = np.arange(64) * 7 % 8
// out: y uint32 8
// option: init_value = 0
uint i = thread_position_in_grid.x;
y[a[i]] += 1;  //! race y with 0
