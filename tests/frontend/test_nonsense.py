"""Nonsense is refused by clang, or by us, but it never breaks the passes that come before clang."""

from __future__ import annotations

import contextlib
import random

from hypothesis import given
from hypothesis import strategies as st

from anymetal.frontend import kernels, rewrite
from anymetal.frontend.edits import Edits
from anymetal.frontend.refusals import refuse, unbalanced
from anymetal.frontend.source import Refused, Source
from anymetal.frontend.tokens import tokenize

TEXT = """
template <typename T, int N> struct block {
  T d; uchar q[N];
  float at(int k) const device { return d * q[k]; }
};
constant bool aligned [[function_constant(3)]];
constant float table[2] = {1.5h, 2};
using quad = vec<float, 4>;
template <typename T> [[kernel, max_total_threads_per_threadgroup(64)]] void f(
    device T* a [[buffer(0)]], constant const long strides[2], uint2 i [[thread_position_in_grid]]) {
  threadgroup T tile[32][32 + 1], *p;
  for (int k = 0; k < 3 && k > -1; k++) { tile[k][0] = static_cast<T>(a[k]) + (half)k; }
  quad v = quad(1, 2, 3, 4) * (float4)a[0];
  if (is_function_constant_defined(aligned)) goto end;
}
template [[host_name("g")]] [[kernel]] decltype(f<half>) f<half>;
"""
WORDS = [token.text for token in tokenize(TEXT)]


@given(st.randoms(use_true_random=False), st.integers(1, 120), st.integers(0, 8))
def test_nonsense(rng: random.Random, length: int, changes: int) -> None:
    start = rng.randrange(len(WORDS))
    words = WORDS[start : start + length]
    for _ in range(changes):
        at = rng.randrange(len(words))
        words[at : at + rng.randrange(2)] = rng.choices(WORDS, k=rng.randrange(1, 3))
    text = " ".join(words)
    source = Source(text)
    with contextlib.suppress(Refused):
        definitions, instantiations = kernels.find(source)
        refuse(source, definitions)
        edits = Edits(text)
        rewrite.rewrite(source, edits, definitions, instantiations, {3: True})
        assert edits.apply().text.count("\n") == text.count("\n")
    unbalanced(source)
