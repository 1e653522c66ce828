// Nested weights to numbers: Y[N, K], with R bits of each code. Four weights a thread.
//
// Without planes (P = 0), `codes` holds words of four codes, and a thread takes one. With P planes it
// holds their words of 32 weights; eight neighbouring threads share the words and take four weights
// each, 8 apart.

uint t = thread_position_in_grid.x;
uint N = scales_shape[0];
uint K = scales_shape[1] * GROUP;
size_t n = t / (K / 4);
uint within = t % (K / 4);

float4 q;
uint k;
uint apart;
if (P == 0) {
    q = codes_in<R>(codes[t]);
    k = 4 * within;
    apart = 1;
} else {
    uint held[P + 1];
    for (int p = 0; p < P; p++) {
        held[p] = codes[(p * size_t(N) + n) * (K / 32) + within / 8];
    }
    q = codes_in<R, P>(held, within % 8);
    k = within / 8 * 32 + within % 8;
    apart = 8;
}
size_t g = n * (K / GROUP) + k / GROUP;
float4 weight = float(scales[g]) * (1 << (8 - R)) * q + float(biases[g]);
for (int j = 0; j < 4; j++) {
    Y[n * K + k + j * apart] = T(weight[j]);
}
