// A function that is told one element too many.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
template <int N>
float total(const thread float* values) {
    float sum = 0;
    for (int k = 0; k < N; ++k) {
        sum += values[k];  //! out-of-bounds t[4] of 4 x32
    }
    return sum;
}
//--- body
uint i = thread_position_in_grid.x;
float t[4] = {a[i], 1, 2, 3};
y[i] = total<5>(t);
