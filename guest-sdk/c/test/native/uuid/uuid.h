#include "../../../include/libc/uuid/uuid.h"
