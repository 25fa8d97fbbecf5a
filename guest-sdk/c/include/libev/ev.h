/* libev/ev.h - another name for ev.h. */
#include "../ev.h"
