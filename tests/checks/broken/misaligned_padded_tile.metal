// Rows of 33 floats, read as float4.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a float32 8,32
// out: y float32 8
uint i = thread_position_in_grid.x;
threadgroup float t[8][33];
for (uint k = 0; k < 32; ++k) {
    t[i][k] = a[32 * i + k];
}
threadgroup_barrier(mem_flags::mem_threadgroup);
float4 sum = 0;
for (uint k = 0; k < 32; k += 4) {
    const threadgroup float* row = t[7 - i];
    sum += *(const threadgroup float4*)(row + k);  //! misaligned t[231] of 264
}
y[i] = sum.x + sum.y + sum.z + sum.w;
