// How a kernel's parameters get their values: each entry function calls the kernel with one source a parameter.
#pragma once
#include "types.h"

namespace metal {
template <typename T>
struct atomic;
}

namespace __simt {

template <typename T>
struct space_of {
  static constexpr int value = 0;
};
template <typename T>
struct space_of<__attribute__((address_space(1))) T> {
  static constexpr int value = 1;
};
template <typename T>
struct space_of<__attribute__((address_space(2))) T> {
  static constexpr int value = 2;
};
template <typename T>
struct space_of<__attribute__((address_space(3))) T> {
  static constexpr int value = 3;
};

template <unsigned Index, int Space>
constexpr auto address() {
  static_assert(Space != 0, "a kernel's pointer needs device, constant or threadgroup");
  if constexpr (Space == 1)
    return __simt_device_buffer(Index);
  else if constexpr (Space == 2)
    return __simt_constant_buffer(Index);
  else
    return __simt_threadgroup_buffer(Index);
}

template <unsigned Index>
struct buffer {
  template <typename P>
  struct as {
    static_assert(sizeof(P) == 0, "a kernel's buffer is a pointer or a reference");
  };
  template <typename T>
  struct as<T*> {
    static T* get() { return (T*)address<Index, space_of<T>::value>(); }
  };
  template <typename T>
  struct as<T&> {
    static T& get() { return *(T*)address<Index, space_of<T>::value>(); }
  };
};

// What a buffer holds, for whoever fills it: a code for its elements' scalar type, sizes in bytes.
template <typename T>
struct bare {
  using type = T;
};
template <typename T>
struct bare<__attribute__((address_space(1))) T> {
  using type = T;
};
template <typename T>
struct bare<__attribute__((address_space(2))) T> {
  using type = T;
};
template <typename T>
struct bare<__attribute__((address_space(3))) T> {
  using type = T;
};
template <typename T>
struct inside_atomic {
  using type = T;
};
template <typename T>
struct inside_atomic<metal::atomic<T>> {
  using type = T;
};

// 0: none of these; 1: bool; then signed and unsigned integers by size; half, bfloat, float.
template <typename T>
constexpr unsigned scalar_code() {
  if constexpr (__is_same(T, bool))
    return 1;
  else if constexpr (__is_same(T, half))
    return 10;
  else if constexpr (__is_same(T, bfloat))
    return 11;
  else if constexpr (__is_same(T, float))
    return 12;
  else if constexpr (__is_integral(T))
    return (sizeof(T) == 1 ? 2 : sizeof(T) == 2 ? 4 : sizeof(T) == 4 ? 6 : 8) + __is_unsigned(T);
  else
    return 0;
}

template <bool condition, typename T, typename Other>
struct given_or {
  using type = T;
};
template <typename T, typename Other>
struct given_or<false, T, Other> {
  using type = Other;
};

template <typename P>
struct target {
  static constexpr unsigned code = 0, size = 0, align = 0;
};
template <typename T>
struct target<T*> {
  using pointee = typename inside_atomic<typename bare<__remove_cv(T)>::type>::type;
  // `device void*` may hold anything: bytes.
  using element = typename given_or<__is_void(pointee), uchar, pointee>::type;
  static constexpr unsigned code = scalar_code<typename shape_of<element>::element>();
  static constexpr unsigned size = sizeof(element), align = alignof(element);
};
template <typename T>
struct target<T&> : target<T*> {};

template <unsigned Size>
struct numbers {
  unsigned values[Size];
};
template <typename Signature>
struct signature;
template <typename... Parameters>
struct signature<void (*)(Parameters...)> {
  // One more than each number: LLVM has other ways to write a list that holds many zeros.
  static constexpr numbers<3 * sizeof...(Parameters) + 1> described() {
    numbers<3 * sizeof...(Parameters) + 1> out = {};
    unsigned at = 0;
    ((out.values[at++] = target<Parameters>::code + 1, out.values[at++] = target<Parameters>::size + 1,
      out.values[at++] = target<Parameters>::align + 1),
     ...);
    out.values[at] = 1;
    return out;
  }
};

inline uint below(uint value, uint limit) {
  __builtin_assume(value < limit);
  return value;
}
inline uint between(uint value, uint limit) {
  __builtin_assume(value > 0 && value <= limit);
  return value;
}

#define SIMT_XYZ(name) uint3{name##_x(), name##_y(), name##_z()}
// One source for each [[attribute]]; a scalar parameter takes x.
#define SIMT_SOURCE(name, ...)                                       \
  struct name {                                                      \
    static uint3 value() { return __VA_ARGS__; }                     \
    template <typename P>                                            \
    struct as {                                                      \
      static P get() {                                               \
        uint3 v = value();                                           \
        if constexpr (size_of<P> == 3)                               \
          return __builtin_convertvector(v, P);                      \
        else if constexpr (size_of<P> == 2)                          \
          return __builtin_convertvector(v.xy, P);                   \
        else                                                         \
          return P(v.x);                                             \
      }                                                              \
    };                                                               \
  };
inline uint3 thread_in_threadgroup() {
  return uint3{below(__simt_thread_in_threadgroup_x(), 1024), below(__simt_thread_in_threadgroup_y(), 1024),
               below(__simt_thread_in_threadgroup_z(), 1024)};
}
inline uint3 threadgroup_size() {
  return uint3{between(__simt_threads_per_threadgroup_x(), 1024), between(__simt_threads_per_threadgroup_y(), 1024),
               between(__simt_threads_per_threadgroup_z(), 1024)};
}
inline uint3 dispatched_size() {
  return uint3{between(__simt_dispatch_threads_per_threadgroup_x(), 1024),
               between(__simt_dispatch_threads_per_threadgroup_y(), 1024),
               between(__simt_dispatch_threads_per_threadgroup_z(), 1024)};
}
inline uint lane() { return below(__simt_lane(), 32); }
inline uint simdgroup() { return below(__simt_simdgroup(), 32); }
inline uint product(uint3 v) { return between(v.x * v.y * v.z, 1024); }

namespace attribute {
SIMT_SOURCE(thread_position_in_threadgroup, thread_in_threadgroup())
SIMT_SOURCE(threadgroup_position_in_grid, SIMT_XYZ(__simt_threadgroup_in_grid))
SIMT_SOURCE(threads_per_threadgroup, threadgroup_size())
SIMT_SOURCE(dispatch_threads_per_threadgroup, dispatched_size())
SIMT_SOURCE(threads_per_grid, SIMT_XYZ(__simt_threads_per_grid))
SIMT_SOURCE(threadgroups_per_grid, SIMT_XYZ(__simt_threadgroups_per_grid))
SIMT_SOURCE(thread_position_in_grid,
            SIMT_XYZ(__simt_threadgroup_in_grid) * dispatched_size() + thread_in_threadgroup())
SIMT_SOURCE(grid_size, SIMT_XYZ(__simt_threads_per_grid))
SIMT_SOURCE(grid_origin, uint3(0))
// Threads are numbered x first, and SIMD-groups cut that numbering into 32s.
SIMT_SOURCE(thread_index_in_threadgroup, uint3(simdgroup() * 32 + lane()))
SIMT_SOURCE(thread_index_in_simdgroup, uint3(lane()))
SIMT_SOURCE(thread_index_in_quadgroup, uint3(lane() & 3))
SIMT_SOURCE(simdgroup_index_in_threadgroup, uint3(simdgroup()))
SIMT_SOURCE(quadgroup_index_in_threadgroup, uint3(simdgroup() * 8 + (lane() >> 2)))
SIMT_SOURCE(simdgroups_per_threadgroup, uint3((product(threadgroup_size()) + 31) / 32))
SIMT_SOURCE(dispatch_simdgroups_per_threadgroup, uint3((product(dispatched_size()) + 31) / 32))
SIMT_SOURCE(quadgroups_per_threadgroup, uint3((product(threadgroup_size()) + 3) / 4))
SIMT_SOURCE(dispatch_quadgroups_per_threadgroup, uint3((product(dispatched_size()) + 3) / 4))
SIMT_SOURCE(threads_per_simdgroup, uint3(32))
SIMT_SOURCE(thread_execution_width, uint3(32))
}  // namespace attribute
#undef SIMT_SOURCE
#undef SIMT_XYZ

// A parameter whose function constant is absent or false: the kernel may not touch it.
struct absent {
  template <typename P>
  struct as;
  template <typename T>
  struct as<T*> {
    static T* get() { return nullptr; }
  };
  template <typename T>
  struct as<T&> {
    static T& get() { return *(T*)nullptr; }
  };
};

template <auto Kernel, typename Signature, typename... Sources>
struct caller;
template <auto Kernel, typename... Parameters, typename... Sources>
struct caller<Kernel, void (*)(Parameters...), Sources...> {
  static void call() { Kernel(Sources::template as<Parameters>::get()...); }
};

template <auto Kernel, typename... Sources>
void call() {
  caller<Kernel, decltype(Kernel), Sources...>::call();
}
}  // namespace __simt
