#ifndef YIMMO_SYS_PARAM_H
#define YIMMO_SYS_PARAM_H
#include <limits.h>
#include "types.h"
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define MAXPATHLEN 4096
#define PATH_MAX 4096
#endif
