/* An upgrade handler of the program's own looks at the request first. */
#include <errno.h>
#include <ev.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

static ymo_http_upgrade_status_t check(const char* upgrade, ymo_http_request_t* request, ymo_http_response_t* response)
{
    const char* token = ymo_http_hdr_table_get(&request->headers, "x-token");
    ymo_log_info("%s upgrade of %s by %s", upgrade, request->uri, ymo_http_hdr_table_get(&request->headers, "Host"));
    if( !strcmp(request->uri, "/moved") ) {
        ymo_http_response_set_status(response, YMO_HTTP_TEMPORARY_REDIRECT);
        ymo_http_response_insert_header(response, "location", "/elsewhere");
        ymo_http_response_body_append(response, YMO_BUCKET_FROM_REF("go there", 8));
        return YMO_HTTP_UPGRADE_ERROR;
    }
    if( !strcmp(request->uri, "/plain") ) {
        return YMO_HTTP_UPGRADE_IGNORE;
    }
    if( !token || strcmp(token, "secret") ) {
        errno = EACCES;
        return YMO_HTTP_UPGRADE_ERROR;
    }
    return YMO_HTTP_UPGRADE_NOPROTO;
}

static ymo_status_t on_recv(ymo_ws_session_t* s, void* user, uint8_t flags, const char* msg, size_t len)
{
    (void)user;
    return ymo_ws_session_send(s, flags, YMO_BUCKET_FROM_REF(msg, len));
}

static ymo_http_upgrade_handler_t* mine;

int main(void)
{
    mine = malloc(sizeof(*mine));
    mine->cb = check;
    mine->proto_new = NULL;
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, on_recv, NULL);
    ymo_proto_t* http = ymo_proto_http_create(NULL, NULL, NULL, NULL, NULL, NULL);
    ymo_http_add_upgrade_handler(http, ymo_http2_no_upgrade_handler());
    ymo_http_add_upgrade_handler(http, mine);
    ymo_http_add_upgrade_handler(http, ymo_ws_http_upgrade_handler(ws));
    ymo_server_config_t config = { .loop = EV_DEFAULT, .port = 8081 };
    ymo_server_t* server = ymo_server_create(&config, http);
    if( ymo_server_init(server) || ymo_server_start(server, EV_DEFAULT) ) {
        return 1;
    }
    ev_run(EV_DEFAULT, 0);
    return 0;
}
