// An input that runs backwards through its memory, followed as if it ran forwards.
// grid: 8 1 1
// threadgroup: 8 1 1
// in: a float32 8 = mx.arange(8).astype(mx.float32)[::-1]
// out: y float32 8
// option: ensure_row_contiguous = False
uint i = thread_position_in_grid.x;
y[i] = a[-int(i) * int(a_strides[0])];  //! out-of-bounds a[1] of 8 x7
