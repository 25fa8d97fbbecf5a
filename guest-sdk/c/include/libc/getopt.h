/* Options of a command line. A plugin's has its name and nothing else. */
#ifndef YIMMO_GETOPT_H
#define YIMMO_GETOPT_H
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
#define no_argument 0
#define required_argument 1
#define optional_argument 2
struct option { const char *name; int has_arg; int *flag; int val; };
extern char *optarg;
extern int optind, opterr, optopt;
int getopt(int argc, char *const argv[], const char *options);
int getopt_long(int argc, char *const argv[], const char *options, const struct option *all, int *at);
YIMMO_LIBC_END
#endif
