// A tree reduction whose rounds do not wait for each other.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 1
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
for (uint width = 32; width > 0; width /= 2) {
    if (i < width) {
        t[i] +=
            t[i + width];  //! race t with -1
    }
}
if (i == 0) {
    y[0] = t[0];
}
