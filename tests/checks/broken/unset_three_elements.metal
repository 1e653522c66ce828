// A vector of three sums, which takes the room of four.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float3 sums;
sums += float3(a[i]);  //! uninitialised sums[0] x32
y[i] = sums.x + sums.y + sums.z;
