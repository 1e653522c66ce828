"""Machine code for a kernel, and its launch: the JIT, the caches, the device's limits, the threads."""
