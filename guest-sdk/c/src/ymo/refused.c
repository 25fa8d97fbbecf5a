/* Refusals: what the program was told that it is done, and the host did not do. */
#include "ymo.h"

static const struct { uint8_t kind; ymo_log_level_t level; const char *what; } losses[] = {
	{ YIMMO_COMMAND_SEND, YMO_LOG_WARNING, "a message is lost" },
	{ YIMMO_COMMAND_CLOSE, YMO_LOG_ERROR, "a session is not closed" },
	{ YIMMO_COMMAND_REFUSE, YMO_LOG_ERROR, "a handshake is answered with 500" },
	{ YIMMO_COMMAND_HTTP_HEAD, YMO_LOG_ERROR, "an answer is lost" },
	{ YIMMO_COMMAND_HTTP_BODY, YMO_LOG_ERROR, "a part of an answer is lost" },
	{ YIMMO_COMMAND_TIMER_SET, YMO_LOG_ERROR, "an ev_timer or ev_periodic will not be called" },
};

static const struct { uint8_t status; const char *why; } reasons[] = {
	{ YIMMO_STATUS_BAD_SEQUENCE, "fragments must follow each other: text or binary first, then continuations, FIN on the last" },
	{ YIMMO_STATUS_BAD_TEXT, "text must be UTF-8, use YMO_WS_OP_BINARY for other bytes" },
	{ YIMMO_STATUS_BAD_FIELDS, "the host refuses its headers" },
	{ YIMMO_STATUS_TOO_LARGE, "it is larger than what the host lets wait for a peer" },
	{ YIMMO_STATUS_QUOTA, "the host has no more timers for this plugin" },
};

static uint32_t told; /* a bit for each loss that this turn's log has */

/* peer_left tells of what is nobody's mistake: the peer was faster. */
static bool peer_left(uint16_t status)
{
	return status == YIMMO_STATUS_UNKNOWN_SESSION || status == YIMMO_STATUS_UNKNOWN_REQUEST || status == YIMMO_STATUS_CLOSING;
}

static void tell(const char *what, ymo_log_level_t level, uint16_t status)
{
	for (size_t i = 0; i < sizeof reasons / sizeof *reasons; i++)
		if (reasons[i].status == status) {
			ymo_log(level, "%s: %s", what, reasons[i].why);
			return;
		}
	ymo_log(level, "%s: the host refuses it with status %u", what, status);
}

void ymo_refused_tell(const yimmo_event *e, uint8_t kind)
{
	if (peer_left(e->code))
		return;
	yimmo_log_session = kind == YIMMO_COMMAND_TIMER_SET ? 0 : e->id;
	for (size_t i = 0; i < sizeof losses / sizeof *losses; i++)
		if (losses[i].kind == kind && !(told & 1u << i)) {
			told |= 1u << i;
			tell(losses[i].what, losses[i].level, e->code);
		}
}

void ymo_refused_turn_end(void) { told = 0; }
