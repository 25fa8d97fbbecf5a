/* The rest of string.h. */
#include "libc.h"

LIBC void *YC(mempcpy)(void *restrict to, const void *restrict from, size_t n)
{
	return (char *)memcpy(to, from, n) + n;
}

LIBC void *YC(memchr)(const void *p, int c, size_t n)
{
	for (const unsigned char *q = p; n--; q++)
		if (*q == (unsigned char)c)
			return (void *)q;
	return NULL;
}

LIBC void *YC(memrchr)(const void *p, int c, size_t n)
{
	const unsigned char *q = p;
	while (n--)
		if (q[n] == (unsigned char)c)
			return (void *)(q + n);
	return NULL;
}

LIBC void *YC(memmem)(const void *p, size_t n, const void *what, size_t len)
{
	if (!len)
		return (void *)p;
	for (const char *q = p; n >= len; q++, n--)
		if (*q == *(const char *)what && !memcmp(q, what, len))
			return (void *)q;
	return NULL;
}

LIBC void *YC(memccpy)(void *restrict to, const void *restrict from, int c, size_t n)
{
	unsigned char *t = to;
	for (const unsigned char *f = from; n--;)
		if ((*t++ = *f++) == (unsigned char)c)
			return t;
	return NULL;
}

LIBC void YC(explicit_bzero)(void *p, size_t n)
{
	memset(p, 0, n);
	__asm__ volatile("" : : "r"(p) : "memory");
}

LIBC size_t YC(strnlen)(const char *s, size_t n)
{
	const char *end = YC(memchr)(s, 0, n);
	return end ? (size_t)(end - s) : n;
}

LIBC char *YC(stpcpy)(char *restrict to, const char *restrict from)
{
	size_t n = strlen(from);
	memcpy(to, from, n + 1);
	return to + n;
}

LIBC char *YC(strcpy)(char *restrict to, const char *restrict from)
{
	YC(stpcpy)(to, from);
	return to;
}

LIBC char *YC(strncpy)(char *restrict to, const char *restrict from, size_t n)
{
	size_t len = YC(strnlen)(from, n);
	memcpy(to, from, len);
	memset(to + len, 0, n - len);
	return to;
}

LIBC char *YC(strcat)(char *restrict to, const char *restrict from)
{
	YC(stpcpy)(to + strlen(to), from);
	return to;
}

LIBC char *YC(strncat)(char *restrict to, const char *restrict from, size_t n)
{
	char *end = to + strlen(to);
	n = YC(strnlen)(from, n);
	memcpy(end, from, n);
	end[n] = 0;
	return to;
}

LIBC size_t YC(strlcpy)(char *restrict to, const char *restrict from, size_t n)
{
	size_t len = strlen(from);
	if (n) {
		size_t take = yimmo_min(len, n - 1);
		memcpy(to, from, take);
		to[take] = 0;
	}
	return len;
}

LIBC size_t YC(strlcat)(char *restrict to, const char *restrict from, size_t n)
{
	size_t len = YC(strnlen)(to, n);
	return len + (len == n ? strlen(from) : YC(strlcpy)(to + len, from, n - len));
}

LIBC int YC(strncmp)(const char *a, const char *b, size_t n)
{
	for (; n && *a && *a == *b; a++, b++)
		n--;
	return n ? (unsigned char)*a - (unsigned char)*b : 0;
}

LIBC int YC(strcmp)(const char *a, const char *b) { return YC(strncmp)(a, b, SIZE_MAX); }
LIBC int YC(strcoll)(const char *a, const char *b) { return YC(strcmp)(a, b); }

static int lower(char c)
{
	unsigned char u = (unsigned char)c;
	return u >= 'A' && u <= 'Z' ? u | 32 : u;
}

LIBC int YC(strncasecmp)(const char *a, const char *b, size_t n)
{
	for (; n && *a && lower(*a) == lower(*b); a++, b++)
		n--;
	return n ? lower(*a) - lower(*b) : 0;
}

LIBC int YC(strcasecmp)(const char *a, const char *b) { return YC(strncasecmp)(a, b, SIZE_MAX); }

LIBC char *YC(strchrnul)(const char *s, int c)
{
	while (*s && *s != (char)c)
		s++;
	return (char *)s;
}

LIBC char *YC(strchr)(const char *s, int c)
{
	char *p = YC(strchrnul)(s, c);
	return *p == (char)c ? p : NULL;
}

LIBC char *YC(strrchr)(const char *s, int c) { return YC(memrchr)(s, c, strlen(s) + 1); }
LIBC char *YC(strstr)(const char *s, const char *what) { return YC(memmem)(s, strlen(s), what, strlen(what)); }

LIBC char *YC(strcasestr)(const char *s, const char *what)
{
	size_t n = strlen(what);
	for (; !n || *s; s++)
		if (!YC(strncasecmp)(s, what, n))
			return (char *)s;
	return NULL;
}

/* run_of counts the characters of s that are in the set, or that are not. */
static size_t run_of(const char *s, const char *set, bool in)
{
	size_t n = 0;
	while (s[n] && (YC(strchr)(set, s[n]) != NULL) == in)
		n++;
	return n;
}

LIBC size_t YC(strspn)(const char *s, const char *set) { return run_of(s, set, true); }
LIBC size_t YC(strcspn)(const char *s, const char *set) { return run_of(s, set, false); }

LIBC char *YC(strpbrk)(const char *s, const char *set)
{
	s += run_of(s, set, false);
	return *s ? (char *)s : NULL;
}

LIBC char *YC(strsep)(char **s, const char *set)
{
	char *word = *s;
	if (word) {
		char *end = word + run_of(word, set, false);
		*s = *end ? end + 1 : NULL;
		*end = 0;
	}
	return word;
}

LIBC char *YC(strtok_r)(char *restrict s, const char *restrict set, char **restrict rest)
{
	if (!s)
		s = *rest;
	if (s)
		s += run_of(s, set, true);
	if (!s || !*s) {
		*rest = NULL;
		return NULL;
	}
	char *end = s + run_of(s, set, false);
	*rest = *end ? end + 1 : NULL;
	*end = 0;
	return s;
}

LIBC char *YC(strtok)(char *restrict s, const char *restrict set)
{
	static char *rest;
	return YC(strtok_r)(s, set, &rest);
}

LIBC char *YC(strndup)(const char *s, size_t n)
{
	n = YC(strnlen)(s, n);
	char *p = malloc(n + 1);
	if (p) {
		memcpy(p, s, n);
		p[n] = 0;
	}
	return p;
}

LIBC char *YC(strdup)(const char *s) { return YC(strndup)(s, SIZE_MAX); }

LIBC char *YC(strerror)(int e)
{
	static const struct { int e; const char *text; } all[] = {
		{ 0, "Success" }, { EPERM, "Operation not permitted" }, { ENOENT, "No such file or directory" },
		{ EINTR, "Interrupted system call" }, { EIO, "Input/output error" }, { E2BIG, "Argument list too long" },
		{ EBADF, "Bad file descriptor" }, { EAGAIN, "Resource temporarily unavailable" },
		{ ENOMEM, "Cannot allocate memory" }, { EACCES, "Permission denied" }, { EFAULT, "Bad address" },
		{ EBUSY, "Device or resource busy" }, { EEXIST, "File exists" }, { EINVAL, "Invalid argument" },
		{ EMFILE, "Too many open files" }, { EFBIG, "File too large" }, { ENOSPC, "No space left on device" },
		{ EPIPE, "Broken pipe" }, { EDOM, "Numerical argument out of domain" },
		{ ERANGE, "Numerical result out of range" }, { ENAMETOOLONG, "File name too long" },
		{ ENOSYS, "Function not implemented" }, { EPROTO, "Protocol error" }, { EBADMSG, "Bad message" },
		{ EOVERFLOW, "Value too large for defined data type" },
		{ EILSEQ, "Invalid or incomplete multibyte or wide character" }, { EMSGSIZE, "Message too long" },
		{ EPROTONOSUPPORT, "Protocol not supported" }, { EOPNOTSUPP, "Operation not supported" },
		{ EADDRINUSE, "Address already in use" }, { EADDRNOTAVAIL, "Cannot assign requested address" },
		{ ECONNABORTED, "Software caused connection abort" }, { ECONNRESET, "Connection reset by peer" },
		{ ENOBUFS, "No buffer space available" }, { ENOTCONN, "Transport endpoint is not connected" },
		{ ETIMEDOUT, "Connection timed out" }, { ECONNREFUSED, "Connection refused" },
		{ ECANCELED, "Operation canceled" },
	};
	static char unknown[32];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].e == e)
			return (char *)all[i].text;
	yimmo_format(unknown, sizeof unknown, "Error %d", e);
	return unknown;
}

LIBC int YC(strerror_r)(int e, char *s, size_t n)
{
	return YC(strlcpy)(s, YC(strerror)(e), n) < n ? 0 : ERANGE;
}

LIBC char *YC(strsignal)(int sig)
{
	static const struct { int sig; const char *text; } all[] = {
		{ SIGHUP, "Hangup" }, { SIGINT, "Interrupt" }, { SIGQUIT, "Quit" }, { SIGABRT, "Aborted" },
		{ SIGKILL, "Killed" }, { SIGUSR1, "User defined signal 1" }, { SIGUSR2, "User defined signal 2" },
		{ SIGPIPE, "Broken pipe" }, { SIGALRM, "Alarm clock" }, { SIGTERM, "Terminated" }, { SIGCHLD, "Child exited" },
	};
	static char text[24];
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (all[i].sig == sig)
			return (char *)all[i].text;
	yimmo_format(text, sizeof text, "Unknown signal %d", sig);
	return text;
}
