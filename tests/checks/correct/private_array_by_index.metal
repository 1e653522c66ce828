// All of it is set before any of it is read.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// in: index uint32 32 = np.arange(32) * 3 % 5
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[5] = {0};
for (uint k = 0; k < 7; ++k) {
    t[(k + index[i]) % 5] += a[(i + k) % 32];
}
y[i] = t[index[i]] - t[0];
