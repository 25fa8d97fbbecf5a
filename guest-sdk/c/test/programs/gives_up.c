/* main does not come to the event loop. */
#include <errno.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"

int main(void)
{
    ymo_log_error("cannot go on: %s", strerror(EADDRINUSE));
    return -1;
}
