// A struct with gaps, copied whole, and one that is set in part.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
struct Pair {
    char flag;
    float value;
    float unused;
};
Pair twice(Pair p) {
    p.value *= 2;
    return p;
}
//--- body
uint i = thread_position_in_grid.x;
Pair p;
p.flag = 1;
p.value = a[i];
Pair pairs[2];
pairs[0] = p;
pairs[1] = twice(p);
y[i] = pairs[0].value + pairs[1].value + p.flag;
