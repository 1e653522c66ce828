// Sums of a tile, all set; a closure and pointers into it.
// grid: 40 1 1
// threadgroup: 32 1 1
// in: a float32 160
// in: b float32 4
// out: y float32 40
uint i = thread_position_in_grid.x;
float sums[4][4] = {};
float column[4];
for (uint r = 0; r < 4; ++r) {
    column[r] = a[40 * r + i];
}
auto add = [&](uint r, uint c) { sums[r][c] += column[r] * b[c]; };
for (uint r = 0; r < 4; ++r) {
    for (uint c = 0; c < 4; ++c) {
        add(r, c);
    }
}
const thread float* p = &sums[0][0];
float total = 0;
for (uint k = 0; k < 16; ++k) {
    total += *p++;
}
y[i] = total;
