/* ymo_bucket.h - what a bucket is made of. Programs use the functions of yimmo.h. */
#ifndef YMO_BUCKET_H
#define YMO_BUCKET_H

#include "yimmo.h"

struct ymo_bucket {
	const char *data;
	size_t len;
	char *buf;          /* freed with the bucket, may be NULL */
	size_t buf_len;
	size_t bytes_sent;
	ymo_bucket_t *next;
	ymo_bucket_free_fn cleanup_cb;
	ymo_bucket_t *ym_next, *ym_prev; /* the library's list of buckets to free */
	unsigned char ym_state;
};

#endif
