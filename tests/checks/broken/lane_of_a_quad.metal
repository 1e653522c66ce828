// The quad's first lane asks the other three, which are elsewhere.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float x = a[i];
if (i % 4 == 0) {
    x += quad_shuffle_xor(x, ushort(2));  //! inactive-lane x8
}
y[i] = x;
