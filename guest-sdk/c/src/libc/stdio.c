/* Printing: standard output and standard error are lines of the host's log. A
 * line goes out when it ends, and what is left of one when the turn does. */
#include "libc.h"

#if defined(__wasm__)
#include <stdio.h>
#include <sys/uio.h>
#include <syslog.h>
#include <err.h>
#include <unistd.h>

#define MOST YIMMO_MAX_LOG

struct yimmo_file {
	uint8_t level;
	int fd;
	size_t used, size;
	char *line;
};

FILE yimmo_out = { .level = YIMMO_LEVEL_INFO, .fd = 1 }, yimmo_err = { .level = YIMMO_LEVEL_WARN, .fd = 2 };

static void send_line(FILE *f)
{
	const char *copy = yimmo_copy(f->line, f->used);
	if (copy)
		yimmo_log_text(f->level, yimmo_log_session, copy, f->used);
	f->used = 0;
}

static void flush_all(void)
{
	if (yimmo_out.used)
		send_line(&yimmo_out);
	if (yimmo_err.used)
		send_line(&yimmo_err);
}

static bool room_for(FILE *f, size_t n)
{
	yimmo_hook.flush = flush_all;
	if (f->size - f->used >= n)
		return true;
	size_t size = f->used + n < 256 ? 256 : yimmo_min(2 * (f->used + n), (size_t)MOST);
	char *p = yimmo_resize(f->line, size);
	if (!p)
		return false;
	f->line = p;
	f->size = size;
	return true;
}

static void print(FILE *f, const char *p, size_t n)
{
	while (n) {
		const char *end = memchr(p, '\n', n);
		size_t len = end ? (size_t)(end - p) : n;
		size_t take = yimmo_min(len, MOST - f->used);
		if (take && !room_for(f, take))
			return;
		if (take)
			memcpy(f->line + f->used, p, take);
		f->used += take;
		if (take == len && end) {
			if (f->used) /* an empty line tells nobody anything */
				send_line(f);
			take++;
		} else if (f->used == MOST) {
			send_line(f);
		}
		p += take;
		n -= take;
	}
}

typedef struct file_sink {
	yimmo_sink sink;
	FILE *f;
} file_sink;

static void put_file(yimmo_sink *s, const char *p, size_t n) { print(((file_sink *)s)->f, p, n); }

LIBC int vfprintf(FILE *restrict f, const char *restrict format, va_list args)
{
	file_sink s = { { put_file, 0 }, f };
	yimmo_format_to(&s.sink, format, args);
	return s.sink.total > INT_MAX ? -1 : (int)s.sink.total;
}

LIBC int vprintf(const char *restrict format, va_list args) { return vfprintf(stdout, format, args); }
LIBC int vsnprintf(char *restrict s, size_t n, const char *restrict format, va_list args) { return yimmo_vformat(s, n, format, args); }
LIBC int vsprintf(char *restrict s, const char *restrict format, va_list args) { return yimmo_vformat(s, INT_MAX, format, args); }

LIBC int vasprintf(char **s, const char *restrict format, va_list args)
{
	int n = yimmo_vformat(NULL, 0, format, args);
	*s = n < 0 ? NULL : malloc((size_t)n + 1);
	return *s ? yimmo_vformat(*s, (size_t)n + 1, format, args) : -1;
}

#define WITH_ARGS(call) \
	va_list args; \
	va_start(args, format); \
	int n_ = call; \
	va_end(args); \
	return n_

LIBC int printf(const char *restrict format, ...) { WITH_ARGS(vfprintf(stdout, format, args)); }
LIBC int fprintf(FILE *restrict f, const char *restrict format, ...) { WITH_ARGS(vfprintf(f, format, args)); }
LIBC int dprintf(int fd, const char *restrict format, ...) { WITH_ARGS(vfprintf(fd == 2 ? stderr : stdout, format, args)); }
LIBC int sprintf(char *restrict s, const char *restrict format, ...) { WITH_ARGS(yimmo_vformat(s, INT_MAX, format, args)); }
LIBC int snprintf(char *restrict s, size_t n, const char *restrict format, ...) { WITH_ARGS(yimmo_vformat(s, n, format, args)); }
LIBC int asprintf(char **s, const char *restrict format, ...) { WITH_ARGS(vasprintf(s, format, args)); }

LIBC int fputs(const char *restrict s, FILE *restrict f)
{
	print(f, s, strlen(s));
	return 0;
}

LIBC int puts(const char *s)
{
	fputs(s, stdout);
	print(stdout, "\n", 1);
	return 0;
}

LIBC int fputc(int c, FILE *f)
{
	char b = (char)c;
	print(f, &b, 1);
	return (unsigned char)c;
}

LIBC int putc(int c, FILE *f) { return fputc(c, f); }
LIBC int putchar(int c) { return fputc(c, stdout); }

LIBC size_t fwrite(const void *restrict p, size_t size, size_t n, FILE *restrict f)
{
	size_t bytes;
	if (__builtin_mul_overflow(size, n, &bytes))
		return 0;
	print(f, p, bytes);
	return n;
}

LIBC ssize_t write(int fd, const void *p, size_t n)
{
	if (fd != 1 && fd != 2) {
		errno = EBADF;
		return -1;
	}
	print(fd == 2 ? stderr : stdout, p, n);
	return (ssize_t)n;
}

/* A line is one log entry, so flushing in the middle of one does nothing. */
LIBC int fflush(FILE *f)
{
	(void)f;
	return 0;
}

LIBC int fileno(FILE *f) { return f->fd; }

LIBC void perror(const char *s)
{
	fprintf(stderr, "%s%s%s\n", s ? s : "", s && *s ? ": " : "", strerror(errno));
}

LIBC void vsyslog(int level, const char *format, va_list args)
{
	static const uint8_t levels[8] = { YIMMO_LEVEL_ERROR, YIMMO_LEVEL_ERROR, YIMMO_LEVEL_ERROR, YIMMO_LEVEL_ERROR,
		YIMMO_LEVEL_WARN, YIMMO_LEVEL_INFO, YIMMO_LEVEL_INFO, YIMMO_LEVEL_DEBUG };
	yimmo_log_va(levels[level & 7], yimmo_log_session, format, args);
}

LIBC void syslog(int level, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsyslog(level, format, args);
	va_end(args);
}

LIBC void warnx(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	yimmo_log_va(YIMMO_LEVEL_WARN, yimmo_log_session, format, args);
	va_end(args);
}

LIBC void warn(const char *format, ...)
{
	char text[256];
	int e = errno;
	va_list args;
	va_start(args, format);
	yimmo_vformat(text, sizeof text, format, args);
	va_end(args);
	warnx("%s: %s", text, strerror(e));
}

LIBC void err(int status, const char *format, ...)
{
	(void)format;
	exit(status);
}

LIBC void errx(int status, const char *format, ...)
{
	(void)format;
	exit(status);
}

#endif
