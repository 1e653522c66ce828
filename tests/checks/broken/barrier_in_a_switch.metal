// One case has a barrier.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a uint32 32 = np.arange(32) % 3
// out: y uint32 32
uint i = thread_position_in_grid.x;
y[i] = 7;
switch (a[i]) {
    case 0:
        y[i] = 1;
        break;
    case 1:
        threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier x21
        y[i] = 2;
        break;
    default:
        y[i] = 3;
}
