// Three of four are set, and the compiler knows it.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[4];
for (uint k = 0; k < 3; ++k) {
    t[k] = a[i] + float(k);
}
float sum = 0;
for (uint k = 0; k < 4; ++k) {
    sum += t[k];  //! uninitialised t[3] of 4 x32
}
y[i] = sum;
