/* Doubles to digits and back.
 *
 * To digits: a double is an integer times a power of two, so its decimal form is
 * finite. The digits are computed exactly, nine to a word, and rounded once, half
 * to even, at the digit asked for. The result is what a careful libc prints.
 */
#include "core.h"

#define BASE 1000000000u
#define WORDS 132 /* 35 before the point for 2^1024, 120 behind it for 2^-1074, never both */
#define POINT 40  /* words before the point */

/* v = sum of word[i] * BASE^(POINT-1-i); words [first, end) are not all zero. */
typedef struct decimal {
	uint32_t word[WORDS + POINT];
	int first, end;
} decimal;

static void set_decimal(decimal *d, double v)
{
	uint64_t bits;
	yimmo_bytes_copy(&bits, &v, sizeof bits);
	int exp = (int)(bits >> 52 & 0x7ff);
	uint64_t m = bits & (((uint64_t)1 << 52) - 1);
	if (exp)
		m |= (uint64_t)1 << 52;
	else
		exp = 1;
	exp -= 1075; /* v = m * 2^exp */
	yimmo_bytes_set(d, 0, sizeof *d);
	d->first = d->end = POINT;
	for (; m; m /= BASE)
		d->word[--d->first] = (uint32_t)(m % BASE);
	for (; exp > 0; exp -= yimmo_min(exp, 29)) {
		uint64_t carry = 0;
		for (int i = POINT - 1; i >= d->first; i--) {
			carry += (uint64_t)d->word[i] << yimmo_min(exp, 29);
			d->word[i] = (uint32_t)(carry % BASE);
			carry /= BASE;
		}
		if (carry)
			d->word[--d->first] = (uint32_t)carry;
	}
	for (; exp < 0; exp += yimmo_min(-exp, 9)) { /* BASE is a multiple of 2^9 */
		int by = yimmo_min(-exp, 9);
		uint32_t carry = 0;
		for (int i = d->first; i < d->end; i++) {
			uint32_t w = d->word[i];
			d->word[i] = (w >> by) + carry;
			carry = (BASE >> by) * (w & ((1u << by) - 1));
		}
		if (carry)
			d->word[d->end++] = carry;
		while (d->first < d->end && !d->word[d->first])
			d->first++;
	}
}

static const uint32_t tens[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, BASE };

static int digits_of(uint32_t w)
{
	int n = 1;
	while (n < 9 && w >= tens[n])
		n++;
	return n;
}

/* exponent is the power of ten of the first digit; 0 for zero. */
static int exponent(const decimal *d)
{
	return d->first == d->end ? 0 : (POINT - 1 - d->first) * 9 + digits_of(d->word[d->first]) - 1;
}

/* round_at keeps the digits down to the power of ten -keep. */
static void round_at(decimal *d, int keep)
{
	int at = POINT + (keep >= 0 ? keep / 9 : -((8 - keep) / 9)); /* word of the first digit to go */
	int inside = keep - (at - POINT) * 9;                        /* digits of it that stay, 0 to 8 */
	if (at >= d->end)
		return;
	if (at < d->first) {
		for (int i = at; i < d->first; i++)
			d->word[i] = 0;
		d->first = at;
	}
	uint32_t unit = tens[9 - inside], rest = d->word[at] % unit;
	bool odd = inside ? d->word[at] / unit & 1 : at > d->first ? d->word[at - 1] & 1 : false;
	bool more = false;
	for (int i = at + 1; i < d->end; i++)
		more |= d->word[i] != 0;
	bool up = rest > unit / 2 || (rest == unit / 2 && (more || odd));
	d->word[at] -= rest;
	d->end = at + 1;
	if (up) {
		d->word[at] += unit;
		for (int i = at; d->word[i] >= BASE; i--) {
			d->word[i] -= BASE;
			if (i == d->first)
				d->word[--d->first] = 0;
			d->word[i - 1]++;
		}
	}
	while (d->first < d->end && !d->word[d->first])
		d->first++;
}

/* digit_at is the one with the power of ten p. */
static char digit_at(const decimal *d, int p)
{
	int at = POINT - 1 - (p >= 0 ? p / 9 : -((8 - p) / 9));
	int inside = p - (POINT - 1 - at) * 9;
	if (at < d->first || at >= d->end)
		return '0';
	return (char)('0' + d->word[at] / tens[inside] % 10);
}

static char *put_exponent(char *p, int e, char letter)
{
	*p++ = letter;
	*p++ = e < 0 ? '-' : '+';
	e = e < 0 ? -e : e;
	if (e >= 100)
		*p++ = (char)('0' + e / 100);
	*p++ = (char)('0' + e / 10 % 10);
	*p++ = (char)('0' + e % 10);
	return p;
}

/* put_digits writes the digits of the powers from high down to low, with the point
 * behind that of `point`. */
static char *put_digits(char *p, const decimal *d, int high, int low, int point, bool alternate)
{
	for (int i = high; i >= low; i--) {
		*p++ = digit_at(d, i);
		if (i == point && (i > low || alternate))
			*p++ = '.';
	}
	return p;
}

/* yimmo_format_double writes v, finite and not negative, without a terminating
 * zero. dst has room: 128 bytes while v < 1e60 and precision <= 40, else 1600.
 * precision is at most 1100. */
size_t yimmo_format_double(char *dst, double v, char conversion, int precision, bool alternate)
{
	decimal d;
	set_decimal(&d, v);
	char kind = (char)(conversion | 0x20), letter = (char)('e' - 'a' + (conversion & 0x20 ? 'a' : 'A'));
	char *p = dst;
	if (kind == 'f') {
		round_at(&d, precision);
		int high = exponent(&d);
		return (size_t)(put_digits(p, &d, high > 0 ? high : 0, -precision, 0, alternate) - dst);
	}
	if (kind == 'g' && !precision)
		precision = 1;
	int behind = kind == 'g' ? precision - 1 : precision; /* digits behind the first one */
	round_at(&d, behind - exponent(&d));
	int e = exponent(&d);
	if (kind == 'g') {
		int low = e - behind;
		bool fixed = e >= -4 && e < precision;
		if (!alternate)
			while (low < (fixed ? yimmo_min(0, e) : e) && digit_at(&d, low) == '0')
				low++;
		if (fixed)
			return (size_t)(put_digits(p, &d, e > 0 ? e : 0, yimmo_min(low, 0), 0, alternate) - dst);
		p = put_digits(p, &d, e, low, e, alternate);
	} else {
		p = put_digits(p, &d, e, e - behind, e, alternate);
	}
	return (size_t)(put_exponent(p, e, letter) - dst);
}

/* yimmo_format_hex writes the conversion a of v, finite and not negative, behind its
 * 0x; precision -1 is as many digits as there are. dst has room for precision + 16. */
size_t yimmo_format_hex(char *dst, double v, char conversion, int precision, bool alternate)
{
	const char *set = conversion == 'A' ? "0123456789ABCDEF" : "0123456789abcdef";
	uint64_t m;
	yimmo_bytes_copy(&m, &v, sizeof m);
	int e = (int)(m >> 52);
	m &= ((uint64_t)1 << 52) - 1;
	if (e)
		m |= (uint64_t)1 << 52;
	e = e ? e - 1023 : m ? -1022 : 0;
	if (precision >= 0 && precision < 13) { /* half to even */
		int drop = 4 * (13 - precision);
		uint64_t half = (uint64_t)1 << (drop - 1), odd = m >> drop & 1;
		m = (m + half - 1 + odd) >> drop << drop;
	}
	int last = 13; /* digits behind the point */
	while (last && !(m >> (4 * (13 - last)) & 15))
		last--;
	if (precision >= 0)
		last = precision;
	char *p = dst;
	*p++ = set[m >> 52];
	if (last || alternate)
		*p++ = '.';
	for (int i = 1; i <= last; i++)
		*p++ = i > 13 ? '0' : set[m >> (4 * (13 - i)) & 15];
	*p++ = conversion == 'A' ? 'P' : 'p';
	*p++ = e < 0 ? '-' : '+';
	e = e < 0 ? -e : e;
	for (int ten = e >= 1000 ? 1000 : e >= 100 ? 100 : e >= 10 ? 10 : 1; ten; ten /= 10)
		*p++ = (char)('0' + e / ten % 10);
	return (size_t)(p - dst);
}

/* Back: a first guess, then as many steps to the next double as an exact
 * comparison asks for, which is none or one or two. */

typedef struct big {
	uint32_t word[100]; /* least significant first */
	int used;
} big;

static void big_times(big *b, uint32_t by)
{
	uint64_t carry = 0;
	for (int i = 0; i < b->used; i++) {
		carry += (uint64_t)b->word[i] * by;
		b->word[i] = (uint32_t)carry;
		carry >>= 32;
	}
	if (carry)
		b->word[b->used++] = (uint32_t)carry;
}

/* big_make is v * 5^fives * 2^twos. */
static void big_make(big *b, uint64_t v, int fives, int twos)
{
	b->used = 0;
	for (int i = 0; i < twos / 32; i++)
		b->word[b->used++] = 0;
	b->word[b->used++] = (uint32_t)v;
	b->word[b->used++] = (uint32_t)(v >> 32);
	big_times(b, 1u << twos % 32);
	for (; fives >= 13; fives -= 13)
		big_times(b, 1220703125); /* 5^13 */
	for (; fives > 0; fives--)
		big_times(b, 5);
	while (b->used && !b->word[b->used - 1])
		b->used--;
}

/* compare_exactly is the sign of m * 10^scale - f * 2^e. */
static int compare_exactly(uint64_t m, int scale, uint64_t f, int e)
{
	big x, y;
	int both = yimmo_min(scale, e);
	big_make(&x, m, scale > 0 ? scale : 0, scale - both);
	big_make(&y, f, scale < 0 ? -scale : 0, e - both);
	if (x.used != y.used)
		return x.used < y.used ? -1 : 1;
	for (int i = x.used - 1; i >= 0; i--)
		if (x.word[i] != y.word[i])
			return x.word[i] < y.word[i] ? -1 : 1;
	return 0;
}

/* refine moves v to the double nearest to m * 10^scale, half to even. m is not 0. */
static double refine(double v, uint64_t m, int scale)
{
	uint64_t bits;
	yimmo_bytes_copy(&bits, &v, sizeof bits);
	const uint64_t infinite = (uint64_t)0x7ff << 52;
	if (bits >= infinite)
		bits = infinite - 1;
	for (;;) {
		int e = (int)(bits >> 52);
		uint64_t f = bits & (((uint64_t)1 << 52) - 1);
		bool lowest = !f && e > 1; /* of its power of two: the step down is half as wide */
		if (e)
			f |= (uint64_t)1 << 52;
		else
			e = 1;
		e -= 1075;
		int above = compare_exactly(m, scale, 2 * f + 1, e - 1);
		if (above > 0 || (above == 0 && bits & 1)) {
			if (++bits == infinite)
				break;
			if (above > 0)
				continue;
			break;
		}
		int below = !f ? 1 : lowest ? compare_exactly(m, scale, 4 * f - 1, e - 2) : compare_exactly(m, scale, 2 * f - 1, e - 1);
		if (below > 0 || (below == 0 && !(bits & 1)))
			break;
		bits--;
	}
	yimmo_bytes_copy(&v, &bits, sizeof v);
	return v;
}

/* yimmo_parse_double reads what strtod reads, but for hexadecimal and words. It
 * rounds correctly; digits behind the nineteenth are taken for zeros. *end is s
 * when there is no number. */
double yimmo_parse_double(const char *s, const char **end)
{
	const char *p = s;
	while (*p == ' ' || (*p >= '\t' && *p <= '\r'))
		p++;
	bool negative = *p == '-';
	p += *p == '-' || *p == '+';
	uint64_t m = 0;
	int scale = 0, digits = 0;
	bool any = false, point = false;
	for (;; p++) {
		if (*p == '.' && !point) {
			point = true;
			continue;
		}
		if (*p < '0' || *p > '9')
			break;
		any = true;
		if (digits < 19) {
			m = m * 10 + (uint64_t)(*p - '0');
			digits += m != 0;
			scale -= point;
		} else {
			scale += !point;
		}
	}
	if (!any) {
		*end = s;
		return 0;
	}
	if (*p == 'e' || *p == 'E') {
		const char *q = p + 1;
		bool minus = *q == '-';
		q += *q == '-' || *q == '+';
		if (*q >= '0' && *q <= '9') {
			int e = 0;
			for (; *q >= '0' && *q <= '9'; q++)
				e = e < 10000 ? e * 10 + (*q - '0') : e;
			scale += minus ? -e : e;
			p = q;
		}
	}
	*end = p;
	double v = (double)m;
	int n = scale < 0 ? -scale : scale;
	for (n = yimmo_min(n, 700); n > 0; n -= 22) {
		double power = 1; /* up to 10^22, which a double holds exactly */
		for (int i = 0; i < yimmo_min(n, 22); i++)
			power *= 10;
		v = scale < 0 ? v / power : v * power;
	}
	if (m && scale > -400 && scale < 310)
		v = refine(v, m, scale);
	return negative ? -v : v;
}
