/* main takes much memory before the loop, in its frame and on the heap, and
 * checks all of it afterwards. */
#include <ev.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "yimmo.h"
#include "ymo_http.h"
#include "ymo_log.h"
#include "ymo_ws.h"

#define TABLES 40

static uint32_t* tables[TABLES];
static unsigned char global[30000];
static char* notes[1000];
static int noted;

static ymo_status_t on_recv(ymo_ws_session_t* s, void* user, uint8_t flags, const char* msg, size_t len)
{
    (void)user;
    /* The heap changes while the program serves. */
    free(notes[noted % 1000]);
    notes[noted % 1000] = malloc(len + (size_t)(noted * 37 % 5000) + 1);
    if( !notes[noted % 1000] ) {
        return ENOMEM;
    }
    memcpy(notes[noted % 1000], msg, len);
    notes[noted % 1000][len] = '\0';
    ++noted;
    tables[noted % TABLES][3] += 1;
    global[noted % sizeof(global)]++;
    return ymo_ws_session_send(s, flags, YMO_BUCKET_FROM_CPY(msg, len));
}

static uint32_t mix(uint32_t v)
{
    return (v ^ v >> 15) * 0x2c1b3c6du;
}

int main(void)
{
    uint32_t frame[1000];
    uint32_t seed = (uint32_t)getpid();
    for( int i = 0; i < TABLES; ++i ) {
        size_t n = 1000 + (size_t)i * 997;
        tables[i] = malloc(n * sizeof(uint32_t));
        if( !tables[i] ) {
            return 1;
        }
        for( size_t k = 0; k < n; ++k ) {
            tables[i][k] = seed = mix(seed + 1);
        }
        if( i % 3 == 2 ) { /* some of it is given back and taken again */
            free(tables[i - 1]);
            tables[i - 1] = calloc(500, sizeof(uint32_t));
        }
    }
    for( int i = 0; i < 1000; ++i ) {
        frame[i] = seed = mix(seed + 1);
    }
    uint32_t expected = 0;
    for( int i = 0; i < 1000; ++i ) {
        expected += frame[i];
    }
    uint32_t* last = tables[TABLES - 1];
    ymo_proto_t* ws = ymo_proto_ws_create(YMO_WS_SERVER_DEFAULT, NULL, on_recv, NULL);
    ymo_http_upgrade_handler_t* handlers[] = { ymo_ws_http_upgrade_handler(ws), NULL };
    ymo_server_t* server = ymo_http_simple_init(EV_DEFAULT, 8081, NULL, handlers, NULL);
    ymo_server_start(server, EV_DEFAULT);
    ev_run(EV_DEFAULT, 0);

    uint32_t sum = 0;
    for( int i = 0; i < 1000; ++i ) {
        sum += frame[i];
    }
    size_t bytes = 0;
    for( int i = 0; i < noted; ++i ) {
        bytes += notes[i % 1000] ? strlen(notes[i % 1000]) : 0;
    }
    unsigned counted = 0;
    for( size_t i = 0; i < sizeof(global); ++i ) {
        counted += global[i];
    }
    ymo_log_info("frame %s, last table %s, %d notes of %zu bytes, %u counted", sum == expected ? "intact" : "broken",
            last == tables[TABLES - 1] ? "in place" : "moved", noted, bytes, counted);
    for( int i = 0; i < TABLES; ++i ) {
        free(tables[i]);
    }
    for( int i = 0; i < 1000; ++i ) {
        free(notes[i]);
    }
    ymo_server_free(server);
    return 0;
}
