/* The configuration: the fields of the start event, as strings that stay. */
#include "ymo.h"

static struct { char *name, *value; } *config;
static size_t configured;

static char *keep_text(yimmo_bucket b)
{
	char *s = malloc(b.len + 1);
	if (s) {
		memcpy(s, b.data, b.len);
		s[b.len] = 0;
	}
	return s;
}

bool ymo_config_keep(const yimmo_event *e)
{
	yimmo_field f;
	size_t n = 0;
	for (size_t at = 0; yimmo_next_field(e, &at, &f);)
		n++;
	config = calloc(n ? n : 1, sizeof *config);
	if (!config)
		return false;
	for (size_t at = 0; configured < n && yimmo_next_field(e, &at, &f); configured++) {
		config[configured].name = keep_text(f.name);
		config[configured].value = keep_text(f.value);
		if (!config[configured].name || !config[configured].value)
			return false;
	}
	return true;
}

const char *ymo_config(const char *name)
{
	for (size_t i = 0; i < configured; i++)
		if (!strcmp(config[i].name, name))
			return config[i].value;
	return NULL;
}

/* same_lower tells whether key is name in lower case. */
static bool same_lower(const char *key, const char *name)
{
	for (; *name; key++, name++)
		if (*key != (*name >= 'A' && *name <= 'Z' ? *name | 32 : *name))
			return false;
	return !*key;
}

const char *ymo_setting(const char *name)
{
	const char *v = ymo_config(name);
	for (size_t i = 0; !v && i < configured; i++)
		if (same_lower(config[i].name, name))
			v = config[i].value;
	return v;
}

#if defined(__wasm__) /* with wasi-libc, too */
char *getenv(const char *name) { return (char *)ymo_setting(name); }
#else
char *yimmo_getenv(const char *name) { return (char *)ymo_setting(name); }
#endif
