// A bin that is not there.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a uint32 64 = np.arange(64) % 9
// out: y uint32 8
// option: init_value = 0
// option: atomic_outputs = True
uint i = thread_position_in_grid.x;
atomic_fetch_add_explicit(&y[a[i]], 1u, memory_order_relaxed);  //! out-of-bounds y[8] of 8 x7
