// A struct with an array, copied and returned.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 32
struct Window {
    float values[3];
    uint first;
};
inline Window at(const device float* a, uint i) {
    Window w;
    for (uint k = 0; k < 3; ++k) {
        w.values[k] = a[i + k];
    }
    w.first = i;
    return w;
}
//--- body
uint i = thread_position_in_grid.x;
Window w = at(a, i), v = w;
v.values[i % 3] = 0;
y[i] = w.values[i % 3] - v.values[(i + 1) % 3] + float(v.first);
