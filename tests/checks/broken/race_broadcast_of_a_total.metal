// The first thread leaves a total that all read at once.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float total;
float sum = simd_sum(a[i]);
if (i == 0) {
    total = sum;
}
y[i] = a[i] / total;  //! race total[0] of 1 with -2
