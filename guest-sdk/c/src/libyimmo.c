/* libyimmo.c - the SDK for programs with libyimmo's interface, in one file: compile
 * it with your program.
 *
 *     make -C guest-sdk/c PROGRAM=/path/to/program.c
 */
#include "yimmo.c"

#include "ymo/bucket.c"
#include "ymo/config.c"
#include "ymo/conn.c"
#include "ymo/exchange.c"
#include "ymo/frames.c"
#include "ymo/headers.c"
#include "ymo/http.c"
#include "ymo/ids.c"
#include "ymo/log.c"
#include "ymo/loop.c"
#include "ymo/message.c"
#include "ymo/plugin.c"
#include "ymo/proto.c"
#include "ymo/queue.c"
#include "ymo/refused.c"
#include "ymo/request.c"
#include "ymo/response.c"
#include "ymo/server.c"
#include "ymo/session.c"
#include "ymo/signals.c"
#include "ymo/status.c"
#include "ymo/timers.c"
#include "ymo/upgrade.c"
#include "ymo/util.c"

#if defined(__wasm__)
#include "ymo/main.c"
#endif

#if defined(__wasi__)
#include "ymo/program_wasi.c"
#elif defined(__wasm__)
#include "ymo/image.c"
#include "ymo/program.c"
#endif
