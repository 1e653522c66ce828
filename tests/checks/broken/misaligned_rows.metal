// Rows of 6 floats, read as float4: every second row is off.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a float32 8,6
// out: y float32 8
uint i = thread_position_in_grid.x;
float4 v = *(const device float4*)(a + 6 * i);  //! misaligned a[6] of 48 x4
y[i] = v.x + v.y + v.z + v.w;
