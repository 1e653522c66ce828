// An unsigned number is never less than 0.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
// budget: 10000
// finds: unwritten-output y[0] of 32 x32
uint i = thread_position_in_grid.x;
float sum = 0;
for (uint k = 31; k >= 0; --k) {  //! endless-loop x1
    sum += a[k % 32] * float(i);
}
y[i] = sum;
