// What Apple's compiler knows without any header: types, and how a kernel gets its parameters.
#pragma once
#include "intrinsics.h"
#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)
#include "types.h"
#include "construct.h"
#include "entry.h"
#include "spaces.h"
#pragma clang attribute pop
