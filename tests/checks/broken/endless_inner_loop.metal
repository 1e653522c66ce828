// The inner loop starts over the outer one's counter.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// in: n uint32 scalar = 3
// out: y float32 32
// budget: 10000
// finds: unwritten-output y[0] of 32 x32
uint i = thread_position_in_grid.x;
float sum = 0;
uint k = 0;
while (a[i] + float(k) < 1000.0f) {  //! endless-loop x1
    for (k = 0; k < n; ++k) {
        sum += a[(i + k) % 32];
    }
    sum *= 0.5f;
}
y[i] = sum;
