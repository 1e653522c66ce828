// A function adds to what its caller has not set.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
void add(thread float& total, float value) {
    total += value;  //! uninitialised total[0] of 1 x32
}
//--- body
uint i = thread_position_in_grid.x;
float total;
add(total, a[i]);
add(total, 1);
y[i] = total;
