// Nothing was ever put there.
// grid: 32 1 1
// threadgroup: 32 1 1
// out: y float32 32
uint i = thread_position_in_grid.x;
threadgroup float t[32];
y[i] = t[i];  //! uninitialised t[0] of 32 x32
