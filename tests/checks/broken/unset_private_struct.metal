// A struct of arrays, one of them forgotten.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// in: index uint32 32 = np.arange(32) % 2
// out: y float32 32
struct Pair {
    float sum[2];
    float most[2];
};
//--- body
uint i = thread_position_in_grid.x;
Pair p;
p.sum[0] = a[i];
p.sum[1] = -a[i];
p.most[0] = 1;
y[i] = p.sum[index[i]] +
       p.most[index[i]];  //! uninitialised p[3] of 4 x16
