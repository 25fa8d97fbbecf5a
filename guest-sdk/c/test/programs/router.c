/* An HTTP service: a table of routes, several statuses and headers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"

typedef ymo_status_t (*handler_t)(ymo_http_request_t*, ymo_http_response_t*);

struct route {
    const char* method;
    const char* path;
    handler_t handler;
};

enum { MAX_NOTES = 8 };
static struct { char* text; size_t len; } notes[MAX_NOTES];
static int count;

static ymo_status_t done(ymo_http_response_t* r, ymo_http_status_t status)
{
    ymo_http_response_set_status(r, status);
    ymo_http_response_finish(r);
    return YMO_OKAY;
}

static ymo_status_t list(ymo_http_request_t* q, ymo_http_response_t* r)
{
    (void)q;
    char total[12];
    sprintf(total, "%d", count);
    ymo_http_response_add_header(r, "X-Total", total);
    for( int i = 0; i < count; ++i ) {
        ymo_http_response_body_append(r, YMO_BUCKET_FROM_CPY(notes[i].text, notes[i].len));
        ymo_http_response_body_append(r, YMO_BUCKET_FROM_REF(";", 1));
    }
    return done(r, YMO_HTTP_OK);
}

static ymo_status_t add(ymo_http_request_t* q, ymo_http_response_t* r)
{
    const char* type = ymo_http_hdr_table_get(&q->headers, "Content-Type");
    if( !type || strncasecmp(type, "text/", 5) ) {
        return done(r, YMO_HTTP_UNSUPPORTED_MEDIA_TYPE);
    }
    if( !q->body || !q->content_length ) {
        return done(r, YMO_HTTP_BAD_REQUEST);
    }
    if( count == MAX_NOTES ) {
        ymo_http_response_insert_header(r, "retry-after", "120");
        return done(r, YMO_HTTP_SERVICE_UNAVAILABLE);
    }
    notes[count].text = malloc(q->content_length);
    if( !notes[count].text ) {
        return ENOMEM;
    }
    memcpy(notes[count].text, q->body, q->content_length);
    notes[count].len = q->content_length;
    char where[32];
    snprintf(where, sizeof(where), "/notes?n=%d", count++);
    ymo_http_response_insert_header(r, "Location", where);
    return done(r, YMO_HTTP_CREATED);
}

static ymo_status_t drop(ymo_http_request_t* q, ymo_http_response_t* r)
{
    int n;
    if( !q->query || sscanf(q->query, "n=%d", &n) != 1 || n < 0 || n >= count ) {
        return ENOENT;
    }
    free(notes[n].text);
    memmove(&notes[n], &notes[n + 1], (size_t)(--count - n) * sizeof(notes[0]));
    return done(r, YMO_HTTP_NO_CONTENT);
}

static ymo_status_t moved(ymo_http_request_t* q, ymo_http_response_t* r)
{
    (void)q;
    ymo_http_response_insert_header(r, "location", "/notes");
    ymo_http_response_set_status_str(r, "301 Moved Permanently");
    ymo_http_response_finish(r);
    return YMO_OKAY;
}

static ymo_status_t teapot(ymo_http_request_t* q, ymo_http_response_t* r)
{
    (void)q;
    ymo_http_response_add_header(r, "set-cookie", "pot=tea");
    ymo_http_response_add_header(r, "set-cookie", "cup=empty");
    ymo_http_response_insert_header(r, "x-brew", "no");
    ymo_http_response_insert_header(r, "X-Brew", "yes");
    return done(r, 418);
}

static ymo_status_t broken(ymo_http_request_t* q, ymo_http_response_t* r)
{
    (void)q, (void)r;
    errno = EIO;
    return errno;
}

static const struct route routes[] = {
    { "GET", "/notes", list },
    { "POST", "/notes", add },
    { "DELETE", "/notes", drop },
    { "GET", "/", moved },
    { "GET", "/tea", teapot },
    { "GET", "/broken", broken },
};

static ymo_status_t dispatch(ymo_http_session_t* s, ymo_http_request_t* q, ymo_http_response_t* r, void* data)
{
    (void)s;
    ++*(unsigned long*)data;
    int found = 0;
    for( size_t i = 0; i < sizeof(routes) / sizeof(*routes); ++i ) {
        if( strcmp(routes[i].path, q->uri) == 0 ) {
            found = 1;
            if( strcmp(routes[i].method, q->method) == 0 ) {
                return routes[i].handler(q, r);
            }
        }
    }
    ymo_log_info("%s %s: %s", q->method, q->uri, found ? "not allowed" : "not found");
    if( found ) {
        ymo_http_response_insert_header(r, "allow", "GET, POST, DELETE");
    }
    return done(r, found ? YMO_HTTP_METHOD_NOT_ALLOWED : YMO_HTTP_NOT_FOUND);
}

int main(void)
{
    unsigned long requests = 0;
    struct ev_loop* loop = ev_default_loop(0);
    ymo_http_upgrade_handler_t* none[] = { NULL };
    ymo_server_t* server = ymo_http_simple_init(loop, 80, dispatch, none, &requests);
    if( server ) {
        ymo_server_start(server, loop);
        ev_run(loop, 0);
        ymo_log_info("%lu requests", requests);
        while( count ) {
            free(notes[--count].text);
        }
        ymo_server_free(server);
    }
    return server ? 0 : -1;
}
