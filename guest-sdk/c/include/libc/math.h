/* What WebAssembly can compute by itself. */
#ifndef YIMMO_MATH_H
#define YIMMO_MATH_H
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
#define NAN __builtin_nanf("")
#define INFINITY __builtin_inff()
#define HUGE_VAL __builtin_inf()
#define M_PI 3.14159265358979323846
#define M_E 2.7182818284590452354
#define isnan(v) __builtin_isnan(v)
#define isinf(v) __builtin_isinf(v)
#define isfinite(v) __builtin_isfinite(v)
#define signbit(v) __builtin_signbit(v)
static inline double floor(double v) { return __builtin_floor(v); }
static inline double ceil(double v) { return __builtin_ceil(v); }
static inline double trunc(double v) { return __builtin_trunc(v); }
static inline double rint(double v) { return __builtin_rint(v); }
static inline double nearbyint(double v) { return __builtin_rint(v); }
static inline double fabs(double v) { return __builtin_fabs(v); }
static inline double sqrt(double v) { return __builtin_sqrt(v); }
static inline double copysign(double a, double b) { return __builtin_copysign(a, b); }
static inline double fmin(double a, double b) { return isnan(a) ? b : isnan(b) ? a : a < b ? a : b; }
static inline double fmax(double a, double b) { return isnan(a) ? b : isnan(b) ? a : a > b ? a : b; }
static inline double round(double v) { double t = trunc(v); return fabs(v - t) >= 0.5 ? t + copysign(1, v) : t; }
static inline long lround(double v) { v = round(v); return v >= -2147483648.0 && v <= 2147483647.0 ? (long)v : 0; }
/* By long division: every step is exact, as the result must be. */
static inline double fmod(double a, double b)
{
	double x = fabs(a), y = fabs(b), t = y;
	if (y == 0 || isinf(a) || isnan(a) || isnan(b))
		return NAN;
	if (x < y)
		return a;
	while (t <= x / 2)
		t *= 2;
	for (; t >= y; t /= 2)
		if (x >= t)
			x -= t;
	return copysign(x, a);
}
static inline float floorf(float v) { return (float)floor(v); }
static inline float ceilf(float v) { return (float)ceil(v); }
static inline float fabsf(float v) { return __builtin_fabsf(v); }
static inline float sqrtf(float v) { return __builtin_sqrtf(v); }
double pow(double a, double b) YIMMO_NO("this small C library has no pow: build with wasi-libc");
double exp(double v) YIMMO_NO("this small C library has no exp: build with wasi-libc");
double log(double v) YIMMO_NO("this small C library has no log: build with wasi-libc");
double log10(double v) YIMMO_NO("this small C library has no log10: build with wasi-libc");
double sin(double v) YIMMO_NO("this small C library has no sin: build with wasi-libc");
double cos(double v) YIMMO_NO("this small C library has no cos: build with wasi-libc");
double tan(double v) YIMMO_NO("this small C library has no tan: build with wasi-libc");
double atan2(double a, double b) YIMMO_NO("this small C library has no atan2: build with wasi-libc");
YIMMO_LIBC_END
#endif
