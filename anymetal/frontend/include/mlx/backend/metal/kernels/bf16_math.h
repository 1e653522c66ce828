// In place of MLX's header: there the maths of bfloat is spelled out with the names of Apple's compiler's internals.
// Here bfloat is a number like the others in <metal_stdlib>.
#pragma once
#include <metal_stdlib>
