/* ymo_proto_ws.h - another name for ymo_ws.h. */
#include "ymo_ws.h"
