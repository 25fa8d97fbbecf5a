/* Time: the turn's clocks, and dates in UTC. */
#include "libc.h"

#define SECOND 1000000000

static int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0); }

/* From the number of days since 1 March of year 0 to the date, and back; both
 * count years from March, so that the leap day is the last_date. Proleptic Gregorian. */

static struct tm *date(int64_t t, struct tm *out)
{
	int64_t days = floor_div(t, 86400), rest = t - days * 86400;
	int64_t wday = (days + 4) % 7;
	days += 719468; /* 1 March 0000 to 1 January 1970 */
	int64_t era = floor_div(days, 146097), day = days - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	day -= 365 * year + year / 4 - year / 100;
	int64_t month = (5 * day + 2) / 153; /* 0 is March */
	int64_t mday = day - (153 * month + 2) / 5 + 1;
	year += era * 400 + (month >= 10);
	month = month < 10 ? month + 2 : month - 10;
	if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) {
		errno = EOVERFLOW;
		return NULL;
	}
	bool leap = (year % 4 == 0 && year % 100) || year % 400 == 0;
	*out = (struct tm){
		.tm_sec = (int)(rest % 60), .tm_min = (int)(rest / 60 % 60), .tm_hour = (int)(rest / 3600),
		.tm_mday = (int)mday, .tm_mon = (int)month, .tm_year = (int)(year - 1900),
		.tm_wday = (int)(wday < 0 ? wday + 7 : wday),
		.tm_yday = (int)(month >= 2 ? day + 59 + leap : day - 306), .tm_zone = "UTC",
	};
	return out;
}

static int64_t seconds(const struct tm *t)
{
	int64_t year = (int64_t)t->tm_year + 1900 + floor_div(t->tm_mon, 12);
	int64_t month = t->tm_mon - floor_div(t->tm_mon, 12) * 12;
	year -= month < 2;
	int64_t era = floor_div(year, 400), y = year - era * 400;
	int64_t day = (153 * (month < 2 ? month + 10 : month - 2) + 2) / 5 + t->tm_mday - 1;
	int64_t days = era * 146097 + y * 365 + y / 4 - y / 100 + day - 719468;
	return days * 86400 + (int64_t)t->tm_hour * 3600 + (int64_t)t->tm_min * 60 + t->tm_sec;
}

LIBC struct tm *YC(gmtime_r)(const time_t *restrict t, struct tm *restrict out) { return date(*t, out); }
LIBC struct tm *YC(localtime_r)(const time_t *restrict t, struct tm *restrict out) { return date(*t, out); }

static struct tm last_date;
LIBC struct tm *YC(gmtime)(const time_t *t) { return date(*t, &last_date); }
LIBC struct tm *YC(localtime)(const time_t *t) { return date(*t, &last_date); }

LIBC time_t YC(timegm)(struct tm *t)
{
	int64_t s = seconds(t);
	return date(s, t) ? s : -1;
}

LIBC time_t YC(mktime)(struct tm *t) { return YC(timegm)(t); }

static const char days[7][10] = { "Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday" };
static const char months[12][10] = { "January", "February", "March", "April", "May", "June", "July", "August",
	"September", "October", "November", "December" };

/* week is the number of the week, 0 to 53, of which first is the first day. */
static int week(const struct tm *t, int first) { return (t->tm_yday + 7 - (t->tm_wday + 7 - first) % 7) / 7; }

static int iso_week(const struct tm *t, int *year)
{
	struct tm thursday = *t;
	thursday.tm_mday += 3 - (t->tm_wday + 6) % 7;
	date(seconds(&thursday), &thursday);
	*year = thursday.tm_year + 1900;
	return thursday.tm_yday / 7 + 1;
}

/* convert_date writes the conversion c to s. */
static int convert_date(char *s, size_t n, char c, const struct tm *t)
{
	int year = t->tm_year + 1900, w;
	const char *day = days[(unsigned)t->tm_wday % 7], *month = months[(unsigned)t->tm_mon % 12];
	int hour12 = (t->tm_hour + 11) % 12 + 1;
	switch (c) {
	case 'a': return yimmo_format(s, n, "%.3s", day);
	case 'A': return yimmo_format(s, n, "%s", day);
	case 'b': case 'h': return yimmo_format(s, n, "%.3s", month);
	case 'B': return yimmo_format(s, n, "%s", month);
	case 'c': return yimmo_format(s, n, "%.3s %.3s %2d %02d:%02d:%02d %d", day, month, t->tm_mday,
		t->tm_hour, t->tm_min, t->tm_sec, year);
	case 'C': return yimmo_format(s, n, "%02d", year / 100);
	case 'd': return yimmo_format(s, n, "%02d", t->tm_mday);
	case 'D': case 'x': return yimmo_format(s, n, "%02d/%02d/%02d", t->tm_mon + 1, t->tm_mday, year % 100);
	case 'e': return yimmo_format(s, n, "%2d", t->tm_mday);
	case 'F': return yimmo_format(s, n, "%d-%02d-%02d", year, t->tm_mon + 1, t->tm_mday);
	case 'G': iso_week(t, &w); return yimmo_format(s, n, "%d", w);
	case 'H': return yimmo_format(s, n, "%02d", t->tm_hour);
	case 'I': return yimmo_format(s, n, "%02d", hour12);
	case 'j': return yimmo_format(s, n, "%03d", t->tm_yday + 1);
	case 'm': return yimmo_format(s, n, "%02d", t->tm_mon + 1);
	case 'M': return yimmo_format(s, n, "%02d", t->tm_min);
	case 'n': return yimmo_format(s, n, "\n");
	case 'p': return yimmo_format(s, n, "%s", t->tm_hour < 12 ? "AM" : "PM");
	case 'r': return yimmo_format(s, n, "%02d:%02d:%02d %s", hour12, t->tm_min, t->tm_sec, t->tm_hour < 12 ? "AM" : "PM");
	case 'R': return yimmo_format(s, n, "%02d:%02d", t->tm_hour, t->tm_min);
	case 's': return yimmo_format(s, n, "%lld", (long long)seconds(t));
	case 'S': return yimmo_format(s, n, "%02d", t->tm_sec);
	case 't': return yimmo_format(s, n, "\t");
	case 'T': case 'X': return yimmo_format(s, n, "%02d:%02d:%02d", t->tm_hour, t->tm_min, t->tm_sec);
	case 'u': return yimmo_format(s, n, "%d", (t->tm_wday + 6) % 7 + 1);
	case 'U': return yimmo_format(s, n, "%02d", week(t, 0));
	case 'V': return yimmo_format(s, n, "%02d", iso_week(t, &w));
	case 'w': return yimmo_format(s, n, "%d", t->tm_wday);
	case 'W': return yimmo_format(s, n, "%02d", week(t, 1));
	case 'y': return yimmo_format(s, n, "%02d", year % 100);
	case 'Y': return yimmo_format(s, n, "%d", year);
	case 'z': return yimmo_format(s, n, "+0000");
	case 'Z': return yimmo_format(s, n, "UTC");
	case '%': return yimmo_format(s, n, "%%");
	default: return -1;
	}
}

LIBC size_t YC(strftime)(char *restrict s, size_t n, const char *restrict format, const struct tm *restrict t)
{
	size_t at = 0;
	for (const char *p = format; *p; p++) {
		char text[64] = { *p };
		int len = 1;
		if (*p == '%' && p[1]) {
			p++;
			if ((*p == 'E' || *p == 'O') && p[1])
				p++;
			len = convert_date(text, sizeof text, *p, t);
			if (len < 0)
				return 0;
		}
		if (at + (size_t)len >= n)
			return 0;
		memcpy(s + at, text, (size_t)len);
		at += (size_t)len;
	}
	if (n)
		s[at] = 0;
	return at;
}

LIBC char *YC(asctime_r)(const struct tm *restrict t, char *restrict out)
{
	out[convert_date(out, 26, 'c', t)] = '\n';
	out[25] = 0;
	return out;
}

LIBC char *YC(asctime)(const struct tm *t)
{
	static char text[64];
	return YC(asctime_r)(t, text);
}

LIBC char *YC(ctime)(const time_t *t) { return YC(asctime)(YC(gmtime)(t)); }

LIBC char *YC(ctime_r)(const time_t *t, char *out)
{
	struct tm d;
	return date(*t, &d) ? YC(asctime_r)(&d, out) : NULL;
}

#if defined(__wasm__)
#include <sys/time.h>

static int64_t clock_of(clockid_t id) { return id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE ? yimmo_now() : yimmo_mono(); }

LIBC time_t time(time_t *t)
{
	time_t now = floor_div(yimmo_now(), SECOND);
	if (t)
		*t = now;
	return now;
}

LIBC clock_t clock(void) { return (clock_t)(yimmo_mono() / 1000); }

LIBC int clock_gettime(clockid_t id, struct timespec *t)
{
	int64_t ns = clock_of(id);
	t->tv_sec = floor_div(ns, SECOND);
	t->tv_nsec = (long)(ns - t->tv_sec * SECOND);
	return 0;
}

LIBC int timespec_get(struct timespec *t, int base)
{
	clock_gettime(CLOCK_REALTIME, t);
	return base;
}

LIBC int clock_getres(clockid_t id, struct timespec *t)
{
	(void)id;
	if (t)
		*t = (struct timespec){ 0, 1 };
	return 0;
}

LIBC int gettimeofday(struct timeval *restrict t, void *restrict zone)
{
	struct timespec s;
	(void)zone;
	clock_gettime(CLOCK_REALTIME, &s);
	t->tv_sec = s.tv_sec;
	t->tv_usec = s.tv_nsec / 1000;
	return 0;
}

#endif
