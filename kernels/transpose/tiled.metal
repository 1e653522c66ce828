// A transposing copy by tiles: Y[N, M] = transpose of X[M, N]. One thread an element.
//
// A threadgroup reads a TILE x TILE piece of X row by row, and stores it row by row of Y. In between, in
// threadgroup memory, rows become columns: each thread stores what another one has read.

// One column more than needed, so that a column's elements lie in different banks.
threadgroup T tile[TILE][TILE + 1];

uint2 t = thread_position_in_threadgroup.xy;
uint2 origin = TILE * threadgroup_position_in_grid.xy;
uint M = X_shape[0];
uint N = X_shape[1];

uint m = origin.y + t.y;
uint n = origin.x + t.x;
if (m < M && n < N) {
    tile[t.y][t.x] = X[size_t(m) * N + n];
}
// Outside the if: every thread must come here, also those that have nothing to read.
threadgroup_barrier(mem_flags::mem_threadgroup);

// Now x runs along a row of Y, which is a column of the tile.
m = origin.y + t.x;
n = origin.x + t.y;
if (m < M && n < N) {
    Y[size_t(n) * M + m] = tile[t.x][t.y];
}
