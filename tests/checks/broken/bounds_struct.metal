// The last struct lies half outside.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a float32 23
// out: y float32 8
struct Three {
    float x, y, z;
};
//--- body
uint i = thread_position_in_grid.x;
const device Three* threes = (const device Three*)a;
y[i] = threes[i].x +
       threes[i].z;  //! out-of-bounds a[23] of 23 x1
