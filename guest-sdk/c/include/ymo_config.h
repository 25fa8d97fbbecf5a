/* ymo_config.h - what libyimmo's configure script would have found. */
#ifndef YMO_CONFIG_H
#define YMO_CONFIG_H

#define PACKAGE           "yimmo"
#define PACKAGE_NAME      "yimmo"
#define PACKAGE_VERSION   "0.2.4"
#define PACKAGE_STRING    "yimmo 0.2.4"
#define PACKAGE_LICENSE   "see guest-sdk/c/README.md"
#define PACKAGE_COPYRIGHT "the yimmo-host authors"

#define YMO_ENABLE_TLS                0
#define YMO_HTTP_MAX_BODY             1048576 /* the host's default limit */
#define YMO_HTTP_REQ_WS_SIZE          4096
#define YMO_SERVER_IDLE_TIMEOUT       0       /* a setting of the host */

#endif
