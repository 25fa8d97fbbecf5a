/* ymo_proto_http.h - another name for ymo_http.h. */
#include "ymo_http.h"
