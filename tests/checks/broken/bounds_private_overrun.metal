// A private array, by an index of the data.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// in: index uint32 32 = np.arange(32) % 5
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[4];
for (uint k = 0; k < 4; ++k) {
    t[k] = a[i] * float(k);
}
y[i] = t[index[i]];  //! out-of-bounds t[4] of 4 x6
