/* yimmo_config.h - another name for ymo_config.h. */
#include "ymo_config.h"
