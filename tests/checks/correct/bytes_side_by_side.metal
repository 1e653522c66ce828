// Neighbouring bytes of one word, by different threads.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y uint8 64
uint i = thread_position_in_grid.x;
y[i] = uchar(a[i] > 0 ? i : 255 - i);
