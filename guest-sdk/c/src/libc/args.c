/* Command lines and paths. */
#include "libc.h"

#if defined(__wasm__)
#include <getopt.h>
#include <libgen.h>

__attribute__((weak)) char *optarg;
__attribute__((weak)) int optind = 1, opterr = 1, optopt;
static int inside; /* of a group like -abc */

static int take_argument(int argc, char *const argv[], char *rest, bool needed)
{
	optind++;
	inside = 0;
	optarg = *rest ? rest : NULL;
	if (!optarg && needed) {
		if (optind >= argc)
			return 0;
		optarg = argv[optind++];
	}
	return 1;
}

LIBC int getopt(int argc, char *const argv[], const char *options)
{
	optarg = NULL;
	if (!inside) {
		if (optind >= argc || argv[optind][0] != '-' || !argv[optind][1])
			return -1;
		if (!strcmp(argv[optind], "--")) {
			optind++;
			return -1;
		}
		inside = 1;
	}
	char *p = argv[optind] + inside;
	optopt = *p;
	const char *known = *p == ':' ? NULL : strchr(options, *p);
	if (known && known[1] == ':') {
		bool needed = known[2] != ':';
		if (!take_argument(argc, argv, p + 1, needed))
			return *options == ':' ? ':' : '?';
		return optopt;
	}
	inside++;
	if (!p[1]) {
		inside = 0;
		optind++;
	}
	return known ? optopt : '?';
}

LIBC int getopt_long(int argc, char *const argv[], const char *options, const struct option *all, int *at)
{
	if (inside || optind >= argc || strncmp(argv[optind], "--", 2) || !argv[optind][2])
		return getopt(argc, argv, options);
	char *name = argv[optind] + 2, *value = strchrnul(name, '=');
	for (int i = 0; all[i].name; i++) {
		if (strlen(all[i].name) != (size_t)(value - name) || strncmp(all[i].name, name, (size_t)(value - name)))
			continue;
		if (at)
			*at = i;
		char none[1] = "";
		if (!take_argument(argc, argv, *value ? value + 1 : none, all[i].has_arg == required_argument))
			return '?';
		if (!all[i].flag)
			return all[i].val;
		*all[i].flag = all[i].val;
		return 0;
	}
	optind++;
	return '?';
}

static char *end_of(char *s)
{
	char *p = s + strlen(s);
	while (p > s + 1 && p[-1] == '/')
		p--;
	return p;
}

LIBC char *basename(char *path)
{
	if (!path || !*path)
		return (char *)".";
	char *end = end_of(path);
	*end = 0;
	char *p = strrchr(path, '/');
	return p && p[1] ? p + 1 : path;
}

LIBC char *dirname(char *path)
{
	char *p = path && *path ? memrchr(path, '/', (size_t)(end_of(path) - path)) : NULL;
	if (!p)
		return (char *)".";
	while (p > path && *p == '/')
		p--;
	p[*p != '/' || p == path] = 0;
	return path;
}

#endif
