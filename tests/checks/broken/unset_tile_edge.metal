// The tile's edge is guarded on the way in, and not filled with zeros.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 50
// out: y float32 1
uint i = thread_position_in_grid.x;
threadgroup float t[32];
float sum = 0;
for (uint first = 0; first < 50; first += 32) {
    if (first + i < 42) {
        t[i] = a[first + i];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    sum += t[31 - i];
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
threadgroup float rest[16];
if (i < 10) {
    rest[i] = sum;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (i == 0) {
    for (uint k = 0; k < 12; ++k) {
        sum += rest[k];  //! uninitialised rest[10] of 16 x2
    }
    y[0] = sum;
}
