/* Uploads without buffering, with all five callbacks of the HTTP protocol. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yimmo.h>
#include <ymo_http.h>
#include <ymo_log.h>

typedef struct upload {
    unsigned sum;
    size_t size, limit;
    int headers;
} upload_t;

static ymo_status_t init(void* server_data, ymo_http_session_t* session)
{
    upload_t* u = calloc(1, sizeof(*u));
    if( u == NULL ) { return ENOMEM; }
    u->limit = *(size_t*)server_data;
    ymo_http_session_set_userdata(session, u);
    return YMO_OKAY;
}

static ymo_status_t headers(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user)
{
    upload_t* u = user;
    ymo_http_hdr_ptr_t h = NULL;
    const char *name, *value;
    size_t len;
    (void)session;
    while( (h = ymo_http_hdr_table_next(&request->headers, h, &name, &len, &value)) != NULL ) {
        ++u->headers;
    }
    if( request->content_length > u->limit ) {
        ymo_http_response_issue(response, YMO_HTTP_REQUEST_ENTITY_TOO_LARGE);
    }
    return YMO_OKAY;
}

static ymo_status_t chunk(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response,
        const char* data, size_t len, void* user)
{
    upload_t* u = user;
    (void)session; (void)request; (void)response;
    for( size_t i = 0; i < len; i++ ) {
        u->sum = u->sum * 31 + (unsigned char)data[i];
    }
    u->size += len;
    return u->size > u->limit ? EFBIG : YMO_OKAY;
}

static ymo_status_t complete(ymo_http_session_t* session, ymo_http_request_t* request, ymo_http_response_t* response, void* user)
{
    upload_t* u = ymo_http_session_get_userdata(session);
    char text[64];
    if( u != user || request->body ) {
        return EFAULT;
    }
    snprintf(text, sizeof text, "%zu bytes, %08x, %s", u->size, u->sum, u->headers > 1 ? "headers" : "no headers");
    ymo_http_response_set_status(response, u->size ? YMO_HTTP_CREATED : YMO_HTTP_LENGTH_REQUIRED);
    ymo_http_response_body_append(response, YMO_BUCKET_FROM_CPY(text, strlen(text)));
    ymo_http_response_finish(response);
    return YMO_OKAY;
}

static void cleanup(void* server_data, ymo_http_session_t* session, void* user)
{
    (void)server_data; (void)session;
    free(user);
}

int main(void)
{
    size_t limit = 100000;
    ymo_proto_t* http = ymo_proto_http_create(&init, &complete, &headers, &chunk, &cleanup, &limit);
    ymo_http_add_upgrade_handler(http, ymo_http2_no_upgrade_handler());
    ymo_server_config_t config;
    memset(&config, 0, sizeof config);
    config.loop = ev_default_loop(0);
    config.port = 8081;
    config.flags = YMO_SERVER_REUSE_ADDR | YMO_SERVER_REUSE_PORT;
    ymo_server_t* server = ymo_server_create(&config, http);
    if( !server ) {
        return 1;
    }
    ymo_status_t status = ymo_server_init(server);
    if( status == YMO_OKAY ) {
        status = ymo_server_start(server, config.loop);
    }
    if( status != YMO_OKAY ) {
        ymo_log_error("%s", strerror(status));
        ymo_server_free(server);
        return 2;
    }
    ev_run(config.loop, 0);
    ymo_server_free(server);
    return 0;
}
