// A tiled product that does not wait for the tiles.
// grid: 8 8 1
// threadgroup: 8 8 1
// in: a float32 8,24
// in: b float32 24,8
// out: y float32 8,8
uint x = thread_position_in_threadgroup.x, r = thread_position_in_threadgroup.y;
threadgroup float A[8][8], B[8][8];
float sum = 0;
for (uint tile = 0; tile < 3; ++tile) {
    A[r][x] = a[r * 24 + tile * 8 + x];
    B[r][x] = b[(tile * 8 + r) * 8 + x];
    for (uint k = 0; k < 8; ++k) {
        sum += A[r][k] *  //! race A with -3
               B[k][x];  //! race B with -3
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
y[r * 8 + x] = sum;
