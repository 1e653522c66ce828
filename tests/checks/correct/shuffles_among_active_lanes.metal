// Shuffles in a branch, among the lanes that take it.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float x = a[i];
if (i < 16) {
    x += simd_shuffle_xor(x, 8);
    x += simd_shuffle_xor(x, 4);
}
y[i] = x;
