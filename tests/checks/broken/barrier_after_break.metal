// Who has found it leaves the loop and waits no more.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a uint32 32 = np.arange(32) * 5 % 8
// out: y uint32 32
uint i = thread_position_in_grid.x;
uint k = 0;
for (; k < 8; ++k) {
    if (a[i] == k) {
        break;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier
}
y[i] = k;
