// Work of several kinds, for tests and benchmarks of the meter.
#define EXPORT(name) __attribute__((export_name(#name)))

typedef unsigned char u8;
typedef unsigned u32;
typedef unsigned long long u64;

static u8 area[1 << 20];

EXPORT(address) u8 *address(void) { return area; }

// One pass over n bytes: a tight loop.
EXPORT(sum) u32 sum(u32 n) {
  u32 s = 0;
#pragma clang loop vectorize(disable) unroll(disable)
  for (u32 i = 0; i < n; i++) s = s * 31 + area[i];
  return s;
}

// Calls without end to speak of and no loop.
EXPORT(fib) u32 fib(u32 n) { return n < 2 ? n : fib(n - 1) + fib(n - 2); }

// Calls nested n deep. The volatile keeps the compiler from making it a loop.
EXPORT(deep) u32 deep(u32 n) {
  volatile u32 x = n;
  return n ? deep(n - 1) + x : 0;
}

// Nested loops over 64-bit floats.
EXPORT(matrix) double matrix(u32 n) {
  double *a = (double *)area, *b = a + n * n, *c = b + n * n;
  for (u32 i = 0; i < n * n; i++) a[i] = i, b[i] = n - i;
  for (u32 i = 0; i < n; i++)
    for (u32 j = 0; j < n; j++) {
      double s = 0;
      for (u32 k = 0; k < n; k++) s += a[i * n + k] * b[k * n + j];
      c[i * n + j] = s;
    }
  return c[n * n - 1];
}

static void sift(u32 *v, u32 i, u32 n) {
  for (u32 child; (child = 2 * i + 1) < n; i = child) {
    if (child + 1 < n && v[child] < v[child + 1]) child++;
    if (v[i] >= v[child]) return;
    u32 t = v[i];
    v[i] = v[child], v[child] = t;
  }
}

// Heap sort of n numbers: branches and loads.
EXPORT(sort) u32 sort(u32 n) {
  u32 *v = (u32 *)area, seed = 1;
  for (u32 i = 0; i < n; i++) v[i] = seed = seed * 1664525 + 1013904223;
  for (u32 i = n / 2; i-- > 0;) sift(v, i, n);
  for (u32 end = n; end-- > 1;) {
    u32 t = v[0];
    v[0] = v[end], v[end] = t;
    sift(v, 0, end);
  }
  return v[n / 2];
}

// A machine with 16 instructions in one switch: br_table in a loop.
EXPORT(machine) u32 machine(u32 steps) {
  u32 r[4] = {1, 2, 3, 4}, pc = 0;
  while (steps--) {
    switch (area[pc & 255] & 15) {
    case 0: r[0] += r[1]; break;
    case 1: r[1] ^= r[2]; break;
    case 2: r[2] -= r[3]; break;
    case 3: r[3] = r[3] << 3 | r[3] >> 29; break;
    case 4: r[0] *= 17; break;
    case 5: if (r[0] & 1) pc += r[1] & 7; break;
    case 6: r[2] += pc; break;
    case 7: r[3] ^= r[0]; break;
    case 8: r[1] += 0x9e3779b9; break;
    case 9: r[0] ^= r[0] >> 15; break;
    case 10: r[2] |= r[1] & 0xff; break;
    case 11: r[3] -= 1; break;
    case 12: r[1] = r[0] + r[3]; break;
    case 13: pc += 3; break;
    case 14: r[2] = r[2] * r[2] + 1; break;
    case 15: r[0] = r[1]; break;
    }
    area[pc & 255] += r[0];
    pc++;
  }
  return r[0] + r[1] + r[2] + r[3];
}

// Four sums side by side in a vector.
typedef u32 vec __attribute__((vector_size(16)));

EXPORT(vector) u32 vector(u32 n) {
  vec s = {1, 2, 3, 4}, *v = (vec *)area;
  for (u32 i = 0; i < n / 16; i++) s = s * 31 + v[i];
  return s[0] ^ s[1] ^ s[2] ^ s[3];
}

// What a turn looks like: n records of 32 bytes in, as many out.
EXPORT(turn) u32 turn(u32 n) {
  u64 *in = (u64 *)area, *out = in + 4096;
  for (u32 i = 0; i < n; i++, in += 4, out += 4) {
    switch ((u32)in[0] & 7) {
    case 0: continue;
    default: out[0] = in[0], out[1] = in[1], out[2] = in[2], out[3] = in[3];
    }
  }
  return n;
}

EXPORT(fill) u32 fill(u32 n, u32 times) {
  while (times--) __builtin_memset(area, (int)times, n);
  return area[n / 2];
}

EXPORT(forever) void forever(void) {
  for (volatile u32 i = 0;; i++);
}
