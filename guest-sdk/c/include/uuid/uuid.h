/* UUIDs. uuid_generate makes version 4 ones from the host's seed. */
#ifndef YIMMO_UUID_H
#define YIMMO_UUID_H
#include <stddef.h>
#include <stdint.h>
#ifdef __cplusplus
extern "C" {
#endif
typedef unsigned char uuid_t[16];
#define UUID_STR_LEN 37
void uuid_generate(uuid_t out);
void uuid_generate_random(uuid_t out);
void uuid_generate_time(uuid_t out);
/* 36 characters and a zero, lower case but for uuid_unparse_upper. */
void uuid_unparse(const uuid_t u, char *out);
void uuid_unparse_lower(const uuid_t u, char *out);
void uuid_unparse_upper(const uuid_t u, char *out);
/* 0, or -1 when s is no UUID. */
int uuid_parse(const char *s, uuid_t out);
void uuid_clear(uuid_t u);
void uuid_copy(uuid_t to, const uuid_t from);
int uuid_compare(const uuid_t a, const uuid_t b);
int uuid_is_null(const uuid_t u);
#ifdef __cplusplus
}
#endif
#endif
