"""Interactive figures, drawn from what was recorded: live in Jupyter, and on a static page with no kernel.

===================  =================================================================================
function             what the reader can do with it
===================  =================================================================================
``stepper``          step through a recorded run of one SIMD-group, forwards and back
``explorer``         pick a threadgroup, a SIMD-group and a lane; see what it reads and writes
``tiles``            walk with a threadgroup over its matrices, from barrier to barrier
``coalescing``       move a stride and see the memory lines that 32 lanes touch
``fragments``        see which lane holds what of an 8 × 8 matrix
``roofline``         choose a chip and see what binds the kernels that were counted
``bits``             see the bits of each value of a quantized block, and whose each byte is
``census``           choose a model and a number of tokens; see its matmuls
``strategies``       choose a problem; see which rule decides, and what each alternative costs
===================  =================================================================================

Each returns a ``Figure``: leave it as a cell's last value. In a book's page, ``figures.scripts`` draws it.
"""

from figures.figure import Figure
from figures.formats import bits
from figures.kernels import explorer, stepper, tiles
from figures.memory import coalescing, fragments
from figures.models import census, roofline
from figures.strategies import strategies

__all__ = [
    "Figure",
    "bits",
    "census",
    "coalescing",
    "explorer",
    "fragments",
    "roofline",
    "stepper",
    "strategies",
    "tiles",
]
