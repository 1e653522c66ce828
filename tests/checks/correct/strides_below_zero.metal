// An input that runs backwards through its memory, by its strides.
// grid: 5 4 1
// threadgroup: 5 4 1
// in: a float32 4,5 = mx.arange(40).astype(mx.float32).reshape(4, 10)[::-1, ::-2]
// out: y float32 4,5
// option: ensure_row_contiguous = False
uint2 p = thread_position_in_grid.xy;
y[p.y * 5 + p.x] = a[long(p.y) * a_strides[0] + long(p.x) * a_strides[1]];
