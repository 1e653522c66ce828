// Even lanes wait here, odd lanes there.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
y[i] = a[i];
if (i % 2) {
    threadgroup_barrier(mem_flags::mem_device);  //! divergent-barrier
    y[i] += 1;
} else {
    threadgroup_barrier(mem_flags::mem_device);  //! divergent-barrier
    y[i] += 2;
}
