// Each thread reads and writes its own elements, again and again.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
y[i] = a[i];
for (uint k = 0; k < 5; ++k) {
    y[i] = y[i] * 0.5f + float(k);
}
y[i] += 1;
