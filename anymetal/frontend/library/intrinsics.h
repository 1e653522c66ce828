// What a back end provides: thread indices, memory, and the operations that cross lanes. Everything else is derived.
#pragma once

// Fixed for the life of a thread, so calls may merge.
#define SIMT_INDEX extern "C" __attribute__((const, nothrow, noconvergent)) unsigned
SIMT_INDEX __simt_lane();
SIMT_INDEX __simt_simdgroup();
#define SIMT_INDEX3(name) SIMT_INDEX name##_x(); SIMT_INDEX name##_y(); SIMT_INDEX name##_z();
SIMT_INDEX3(__simt_thread_in_threadgroup)
SIMT_INDEX3(__simt_threadgroup_in_grid)
SIMT_INDEX3(__simt_threads_per_threadgroup)
SIMT_INDEX3(__simt_dispatch_threads_per_threadgroup)
SIMT_INDEX3(__simt_threads_per_grid)
SIMT_INDEX3(__simt_threadgroups_per_grid)
#undef SIMT_INDEX3
#undef SIMT_INDEX

#define SIMT_MEMORY extern "C" __attribute__((const, nothrow, noconvergent))
SIMT_MEMORY __attribute__((address_space(1))) char* __simt_device_buffer(unsigned index);
SIMT_MEMORY __attribute__((address_space(2))) const char* __simt_constant_buffer(unsigned index);
SIMT_MEMORY __attribute__((address_space(3))) char* __simt_threadgroup_buffer(unsigned index);
#undef SIMT_MEMORY

// Convergent: control flow around these calls is part of their meaning, so the optimizer must not change it.
#define SIMT_CROSS extern "C" __attribute__((convergent, nothrow))

#define SIMT_BY_TYPE(name, T)                                        \
  SIMT_CROSS T __simt_shuffle_##name(T value, unsigned source_lane); \
  SIMT_COMBINE(name, add, T)                                         \
  SIMT_COMBINE(name, mul, T)                                         \
  SIMT_COMBINE(name, min, T)                                         \
  SIMT_COMBINE(name, max, T)
#define SIMT_COMBINE(name, op, T)                               \
  SIMT_CROSS T __simt_reduce_##op##_##name(T value);            \
  SIMT_CROSS T __simt_scan_inclusive_##op##_##name(T value);    \
  SIMT_CROSS T __simt_scan_exclusive_##op##_##name(T value);
#define SIMT_BY_INTEGER(name, T) \
  SIMT_BY_TYPE(name, T)          \
  SIMT_COMBINE(name, umin, T)    \
  SIMT_COMBINE(name, umax, T)    \
  SIMT_COMBINE(name, and, T)     \
  SIMT_COMBINE(name, or, T)      \
  SIMT_COMBINE(name, xor, T)
SIMT_BY_INTEGER(i8, char)
SIMT_BY_INTEGER(i16, short)
SIMT_BY_INTEGER(i32, int)
SIMT_BY_INTEGER(i64, long)
SIMT_BY_TYPE(f16, _Float16)
SIMT_BY_TYPE(bf16, __bf16)
SIMT_BY_TYPE(f32, float)
#undef SIMT_BY_INTEGER
#undef SIMT_BY_TYPE
#undef SIMT_COMBINE

SIMT_CROSS unsigned __simt_ballot(bool value);
SIMT_CROSS void __simt_threadgroup_barrier(unsigned mem_flags);
SIMT_CROSS void __simt_simdgroup_barrier(unsigned mem_flags);

// A lane's two neighbouring elements of an 8x8 matrix.
#define SIMT_PAIR(T) T __attribute__((ext_vector_type(2)))
SIMT_CROSS SIMT_PAIR(float) __simt_mma(SIMT_PAIR(float) a, SIMT_PAIR(float) b, SIMT_PAIR(float) c);
#define SIMT_MATRIX_IN(name, T, space, n)                                                                           \
  SIMT_CROSS SIMT_PAIR(T) __simt_matrix_load_##name##_p##n(space const T* p, unsigned long elements_per_row,       \
                                                           bool transpose);                                        \
  SIMT_CROSS void __simt_matrix_store_##name##_p##n(SIMT_PAIR(T) value, space T* p,                                \
                                                    unsigned long elements_per_row, bool transpose);
#define SIMT_MATRIX(name, T)                                            \
  SIMT_MATRIX_IN(name, T, __attribute__((address_space(1))), 1)         \
  SIMT_MATRIX_IN(name, T, __attribute__((address_space(2))), 2)         \
  SIMT_MATRIX_IN(name, T, __attribute__((address_space(3))), 3)
SIMT_MATRIX(f16, _Float16)
SIMT_MATRIX(bf16, __bf16)
SIMT_MATRIX(f32, float)
#undef SIMT_MATRIX
#undef SIMT_MATRIX_IN
#undef SIMT_CROSS
