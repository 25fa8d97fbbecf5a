/* UUIDs, RFC 9562. */
#include "libc.h"

#include "../../include/uuid/uuid.h"

static void unparse(const uuid_t u, char *out, const char *set)
{
	for (int i = 0; i < 16; i++) {
		if (i == 4 || i == 6 || i == 8 || i == 10)
			*out++ = '-';
		*out++ = set[u[i] >> 4];
		*out++ = set[u[i] & 15];
	}
	*out = 0;
}

__attribute__((weak)) void uuid_unparse_upper(const uuid_t u, char *out) { unparse(u, out, "0123456789ABCDEF"); }
__attribute__((weak)) void uuid_unparse_lower(const uuid_t u, char *out) { unparse(u, out, "0123456789abcdef"); }
__attribute__((weak)) void uuid_unparse(const uuid_t u, char *out) { uuid_unparse_lower(u, out); }

__attribute__((weak)) int uuid_parse(const char *s, uuid_t out)
{
	for (int i = 0; i < 16; i++) {
		if ((i == 4 || i == 6 || i == 8 || i == 10) && *s++ != '-')
			return -1;
		int v = 0;
		for (int k = 0; k < 2; k++, s++) {
			int c = *s | 32, d = *s >= '0' && *s <= '9' ? *s - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
			if (d < 0)
				return -1;
			v = v * 16 + d;
		}
		out[i] = (unsigned char)v;
	}
	return *s ? -1 : 0;
}

__attribute__((weak)) void uuid_generate_random(uuid_t out)
{
	for (int i = 0; i < 16; i++)
		out[i] = (unsigned char)(yimmo_random() >> 56);
	out[6] = (out[6] & 0x0f) | 0x40;
	out[8] = (out[8] & 0x3f) | 0x80;
}

__attribute__((weak)) void uuid_generate(uuid_t out) { uuid_generate_random(out); }
__attribute__((weak)) void uuid_generate_time(uuid_t out) { uuid_generate_random(out); }
__attribute__((weak)) void uuid_clear(uuid_t u) { memset(u, 0, 16); }
__attribute__((weak)) void uuid_copy(uuid_t to, const uuid_t from) { memmove(to, from, 16); }
__attribute__((weak)) int uuid_compare(const uuid_t a, const uuid_t b) { return memcmp(a, b, 16); }

__attribute__((weak)) int uuid_is_null(const uuid_t u)
{
	static const uuid_t null;
	return !memcmp(u, null, 16);
}
