// A private array, written before its start.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: index int32 32 = np.arange(32) % 4 - 1
// out: y float32 32
uint i = thread_position_in_grid.x;
float t[3] = {1, 2, 3};
t[index[i]] = 5;  //! out-of-bounds t[-1] of 3 x8
y[i] = t[0] + t[1] * 2 + t[2] * 3;
