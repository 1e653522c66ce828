// A tiled product that fills the tiles while others still read them: in the second round only.
// grid: 8 8 1
// threadgroup: 8 8 1
// in: a float32 8,24
// in: b float32 24,8
// out: y float32 8,8
uint x = thread_position_in_threadgroup.x, r = thread_position_in_threadgroup.y;
threadgroup float A[8][8], B[8][8];
float sum = 0;
for (uint tile = 0; tile < 3; ++tile) {
    A[r][x] = a[r * 24 + tile * 8 + x];  //! race A with +4
    B[r][x] = b[(tile * 8 + r) * 8 + x];  //! race B with +4
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint k = 0; k < 8; ++k) {
        sum += A[r][k] *
               B[k][x];
    }
}
y[r * 8 + x] = sum;
