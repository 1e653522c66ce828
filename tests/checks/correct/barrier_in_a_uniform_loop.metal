// The trip count comes from memory, and is the same for all.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// in: n uint32 1 = [5]
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
float x = a[i];
for (uint k = 0; k < n[0]; ++k) {
    t[i] = x;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    x += t[(i + k) % 64];
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
y[i] = x;
