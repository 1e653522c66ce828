// Vectors of narrow numbers.
// grid: 16 1 1
// threadgroup: 16 1 1
// in: a bfloat16 64
// out: y float16 64
uint i = thread_position_in_grid.x;
for (uint k = 0; k < 4; ++k) {
    y[4 * i + k] = half(float(a[4 * i + k]));
}
*(device half4*)(y + 4 * i) = half4(1, 2, 3, float(i));
