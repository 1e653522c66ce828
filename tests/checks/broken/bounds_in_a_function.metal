// The header's function does it; the line is the header's.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
inline float neighbours(const device float* p, uint i) {
    return p[i] +
           p[i + 2];  //! out-of-bounds a[32] of 32 x2
}
//--- body
uint i = thread_position_in_grid.x;
y[i] = neighbours(a, i);
