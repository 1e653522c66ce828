// The largest value of all, by compare and swap.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a uint32 64 = np.arange(64) * 37 % 101
// out: y uint32 1
// option: init_value = 0
// option: atomic_outputs = True
uint i = thread_position_in_grid.x;
uint seen = atomic_load_explicit(&y[0], memory_order_relaxed);
while (seen < a[i] && !atomic_compare_exchange_weak_explicit(&y[0], &seen, a[i], memory_order_relaxed,
                                                             memory_order_relaxed)) {
}
