// <metal_stdlib>
#include "language.h"
#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#include "simdgroup.h"
#include "simdgroup_matrix.h"
#include "math.h"
#include "traits.h"
#include "relational.h"
#include "integer.h"
#include "geometric.h"
#include "pack.h"
#include "matrix.h"
#include "parts.h"
#include "atomic.h"
#pragma clang attribute pop
