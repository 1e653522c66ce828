#include "intrinsics.h"
// Every function from here on is inlined into its kernel: a back end sees one function a kernel.
#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#include "types.h"
#include "construct.h"
#include "entry.h"
#include "simdgroup.h"
#include "simdgroup_matrix.h"
#include "math.h"
#include "traits.h"
#include "relational.h"
#pragma clang attribute pop
