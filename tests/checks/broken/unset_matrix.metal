// A product is added to an 8x8 matrix that nobody filled.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
#include <metal_simdgroup_matrix>
//--- body
simdgroup_float8x8 left, sum;
simdgroup_load(left, a, 8);
simdgroup_multiply_accumulate(sum, left, left, sum);  //! uninitialised sum
simdgroup_store(sum, y, 8);
