// Vectors filled element by element, and by halves.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
float4 v;
v.x = a[i];
v.y = 2 * v.x;
v.zw = v.yx;
float3 w;
w.xy = v.wz;
w[2] = 1;
float4 rows[2];
for (uint r = 0; r < 2; ++r) {
    for (uint c = 0; c < 4; ++c) {
        rows[r][c] = float(r) * v[c];
    }
}
y[i] = dot(v, rows[1]) + w.x + w.z + rows[0].y;
