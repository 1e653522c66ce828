// The last of the float4s is only half there.
// grid: 16 1 1
// threadgroup: 16 1 1
// in: a float32 62
// out: y float32 16
uint i = thread_position_in_grid.x;
float4 v = ((const device float4*)a)[i];  //! out-of-bounds a[62] of 62 x1
y[i] = v.x + v.y + v.z + v.w;
