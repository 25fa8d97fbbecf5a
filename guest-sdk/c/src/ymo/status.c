/* What the status of a callback means. guest-sdk/c/README.md prints this table; a
 * test holds the two equal. */
#include "ymo.h"

static const struct row { int status; uint16_t close, http; } rows[] = {
	{ EACCES, 1008, 403 },
	{ EPERM, 1008, 403 },
	{ ENOENT, 1008, 404 },
	{ EINVAL, 1008, 400 },
	{ EBADMSG, 1002, 400 },
	{ EPROTO, 1002, 400 },
	{ EILSEQ, 1007, 400 },
	{ ENOTSUP, 1003, 501 },
	{ EPROTONOSUPPORT, 1003, 501 },
	{ E2BIG, 1009, 413 },
	{ EFBIG, 1009, 413 },
	{ EMSGSIZE, 1009, 413 },
	{ EAGAIN, 1013, 503 },
	{ EBUSY, 1013, 503 },
	{ EMFILE, 1013, 503 },
	{ ENOBUFS, 1013, 503 },
	{ ENOMEM, 1013, 503 },
	{ ECANCELED, 1000, 500 },
	{ ECONNABORTED, 1000, 500 },
	{ EPIPE, 1000, 500 },
#if defined(ESHUTDOWN) /* wasi-libc has none */
	{ ESHUTDOWN, 1001, 503 },
#endif
	{ ETIMEDOUT, 1008, 504 },
	{ 0, 1011, 500 }, /* every other */
};

static const struct row *row_of(int status)
{
	const struct row *r = rows;
	while (r->status && r->status != status)
		r++;
	return r;
}

/* May be sent in a close frame, RFC 6455 section 7.4 and the IANA registry. */
bool ymo_is_close_code(int s)
{
	return (s >= 1000 && s <= 1003) || (s >= 1007 && s <= 1014) || (s >= 3000 && s <= 4999);
}

uint16_t ymo_close_code(int status)
{
	return ymo_is_close_code(status) ? (uint16_t)status : row_of(status)->close;
}

uint16_t ymo_http_code(int status)
{
	return status >= 300 && status <= 599 ? (uint16_t)status : row_of(status)->http;
}

void ymo_report(const char *callback, int status, const char *outcome)
{
	ymo_log(YMO_LOG_WARNING, "%s callback returned %d (%s): %s", callback, status, strerror(status), outcome);
}
