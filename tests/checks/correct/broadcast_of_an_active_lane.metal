// The lane asked is chosen among those that are here.
// grid: 20 1 1
// threadgroup: 20 1 1
// in: a float32 20
// out: y float32 20
uint i = thread_position_in_grid.x;
y[i] = simd_broadcast_first(a[i]) + simd_shuffle(a[i], ushort(19 - i)) + quad_broadcast(a[i], ushort(3));
