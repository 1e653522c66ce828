"""A right answer, in pieces: most mutants get one of them wrong."""

from __future__ import annotations

import numpy as np


class Quantize:
    dtype = np.uint8

    def scales(self, blocks):
        place = np.abs(blocks).argmax(axis=-1)[..., None]
        return np.take_along_axis(blocks, place, axis=-1) / np.float32(-8)

    def divisors(self, d):
        return d

    def shifted(self, blocks, d):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(d == 0, np.float32(8), blocks / d + np.float32(8))

    def rounded(self, codes):
        return np.trunc(codes + np.float32(0.5))

    def limited(self, codes):
        return np.minimum(codes, 15)

    def packed(self, q):
        return q[..., :16] | q[..., 16:] << 4

    def stored(self, d):
        return d.astype("<f2").view(np.uint8)

    def __call__(self, w):
        blocks = w.reshape(len(w), -1, 32)
        d = self.scales(blocks)
        codes = self.limited(self.rounded(self.shifted(blocks, self.divisors(d))))
        q = codes.astype(np.uint8)
        return np.concatenate([self.stored(d), self.packed(q)], axis=-1).astype(self.dtype)
