// Four floats at once, from the second on.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a float32 40
// out: y float32 8
uint i = thread_position_in_grid.x;
const device float* from = a + 1;
float4 v = ((const device float4*)from)[i];  //! misaligned a[1] of 40 x8
y[i] = v.x + v.y + v.z + v.w;
