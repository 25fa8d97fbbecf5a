/* ymo_env.h - numbers from the environment, which is the plugin's configuration. */
#ifndef YMO_ENV_H
#define YMO_ENV_H

#include "ymo_attrs.h"

YIMMO_BEGIN

/* The key is found as getenv finds it. Without one, and where it is no number, the
 * default; 0, or an errno value if there is no default either. */
int ymo_env_as_long(const char *env_name, long *value, long *def_val);
int ymo_env_as_float(const char *env_name, float *value, float *def_val);
int ymo_env_as_double(const char *env_name, double *value, double *def_val);

YIMMO_END

#endif
