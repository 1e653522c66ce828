// The padding that keeps banks apart holds nothing.
// grid: 8 8 1
// threadgroup: 8 8 1
// in: a float32 8,8
// out: y float32 8
uint x = thread_position_in_threadgroup.x, r = thread_position_in_threadgroup.y;
threadgroup float t[8][9];
t[r][x] = a[8 * r + x];
threadgroup_barrier(mem_flags::mem_threadgroup);
if (r == 0) {
    float sum = 0;
    for (uint k = 0; k < 9; ++k) {
        sum += t[x][k];  //! uninitialised t[8] of 72 x8
    }
    y[x] = sum;
}
