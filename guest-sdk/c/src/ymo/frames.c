/* Which frames may be sent: RFC 6455 as far as one frame tells. What the host would
 * refuse later, when the program believes that it was sent, is refused at once. */
#include "ymo.h"

/* Sections 5.2 and 5.5: no reserved bits; ping and pong are short and in one piece. */
bool ymo_may_send(uint8_t flags, ymo_bucket_t *payload)
{
	unsigned op = flags & YMO_WS_MASK_OP;
	if (flags & (YMO_WS_FLAG_RSV1 | YMO_WS_FLAG_RSV2 | YMO_WS_FLAG_RSV3))
		return false;
	if (op == YMO_WS_OP_PING || op == YMO_WS_OP_PONG)
		return flags & YMO_WS_FLAG_FIN && ymo_bucket_len_all(payload) <= YIMMO_MAX_CONTROL_PAYLOAD;
	return op <= YMO_WS_OP_BINARY || op == YMO_WS_OP_CLOSE;
}

/* utf8_length is how many bytes the character at s has of at most n, 0 if it is none:
 * RFC 3629 section 4. */
static size_t utf8_length(const unsigned char *s, size_t n)
{
	if (s[0] < 0x80)
		return 1;
	size_t len = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4 || len > n)
		return 0;
	unsigned char low = s[0] == 0xe0 ? 0xa0 : s[0] == 0xf0 ? 0x90 : 0x80;
	unsigned char high = s[0] == 0xed ? 0x9f : s[0] == 0xf4 ? 0x8f : 0xbf;
	if (s[1] < low || s[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++)
		if (s[i] < 0x80 || s[i] > 0xbf)
			return 0;
	return len;
}

/* Section 5.5.1: nothing, or a code that may be sent and text. */
bool ymo_may_close_with(const unsigned char *s, size_t n)
{
	if (!n)
		return true;
	if (n == 1 || !ymo_is_close_code(s[0] << 8 | s[1]))
		return false;
	for (size_t at = 2, len; at < n; at += len)
		if (!(len = utf8_length(s + at, n - at)))
			return false;
	return true;
}
