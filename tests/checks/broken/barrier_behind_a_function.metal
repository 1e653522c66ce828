// The barrier is in a function, the branch is not.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
inline float exchanged(float value, threadgroup float* t, uint i) {
    t[i] = value;
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier x1
    return t[i];
}
//--- body
uint i = thread_position_in_grid.x;
threadgroup float t[64];
float x = a[i];
if (i != 33) {
    x = exchanged(x, t, i);
}
y[i] = x;
