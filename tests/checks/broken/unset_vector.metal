// A vector of sums that nobody set to zero.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 128
// out: y float32 32
uint i = thread_position_in_grid.x;
float4 sums;
sums += ((const device float4*)a)[i];  //! uninitialised sums[0] x32
y[i] = sums.x + sums.y + sums.z + sums.w;
