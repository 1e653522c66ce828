// Nor is an atomic one.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a uint32 32 = np.arange(32)
// out: y uint32 1
// option: atomic_outputs = True
uint i = thread_position_in_grid.x;
atomic_fetch_add_explicit(&y[0], a[i], memory_order_relaxed);  //! uninitialised y[0] of 1 x1
