#ifndef YIMMO_LOCALE_H
#define YIMMO_LOCALE_H
#include "yimmo_libc.h"
#define LC_CTYPE 0
#define LC_NUMERIC 1
#define LC_TIME 2
#define LC_COLLATE 3
#define LC_MONETARY 4
#define LC_MESSAGES 5
#define LC_ALL 6
/* There is one locale. */
static inline char *setlocale(int category, const char *name)
{
	(void)category;
	return !name || !*name || (name[0] == 'C' && !name[1]) ? (char *)"C" : (char *)0;
}
#endif
