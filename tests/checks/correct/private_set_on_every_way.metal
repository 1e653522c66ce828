// Variables that are set on each way to their use, not where they are declared.
// grid: 70 1 1
// threadgroup: 64 1 1
// in: a float32 70
// out: y float32 70
void halves(float value, thread float& whole, thread float& rest) {
    whole = floor(value);
    rest = value - whole;
}
//--- body
uint i = thread_position_in_grid.x;
float x, whole, rest, cosine, last;
if (i % 3 == 0) {
    x = a[i];
} else {
    x = 2 * a[i];
}
halves(x, whole, rest);
float sine = sincos(x, cosine);
uint k;
for (k = 0; k < i % 7; ++k) {
    float step;
    if (k % 2) {
        step = 1;
    } else {
        step = x;
    }
    last = step;
    rest += step;
}
if (k > 0) {
    rest += last;
}
y[i] = whole + rest + sine + cosine;
