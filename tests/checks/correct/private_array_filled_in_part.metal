// Half of it is set, and that half is read.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[16];
uint n = 0;
for (uint k = 0; k < 16; ++k) {
    float x = a[(i + k) % 32];
    if (x > 0) {
        t[n++] = x;
    }
}
float sum = 0;
for (uint k = 0; k < n; ++k) {
    sum += t[k];
}
y[i] = sum;
