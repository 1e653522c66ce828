// The loop's variable is not the one that moves.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 32
// budget: 10000
// finds: unwritten-output y[0] of 32 x32
uint i = thread_position_in_grid.x;
float sum = 0;
uint k = 0, other = 0;
while (k < 32) {  //! endless-loop x1
    sum += a[k + i];
    other += 1;
}
y[i] = sum + float(other);
