/* What the headers of this folder share. They are a small C library for plugins:
 * what a program of libyimmo's kind uses. What needs an operating system can be
 * declared, so that it compiles where it is only mentioned; using it is an error
 * that says why. */
#ifndef YIMMO_LIBC_H
#define YIMMO_LIBC_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
#define YIMMO_LIBC_BEGIN extern "C" {
#define YIMMO_LIBC_END   }
#define YIMMO_R
#else
#define YIMMO_LIBC_BEGIN
#define YIMMO_LIBC_END
#define YIMMO_R restrict
#endif

#define YIMMO_NO(why)    __attribute__((unavailable(why)))
#define YIMMO_NO_FILES   YIMMO_NO("a plugin has no files: compile the data in, or take it from the configuration (getenv)")
#define YIMMO_NO_INPUT   YIMMO_NO("a plugin has no standard input: what it is told comes in callbacks and in the configuration (getenv)")
#define YIMMO_NO_SOCKETS YIMMO_NO("the host owns the sockets: data comes in callbacks and leaves with ymo_ws_session_send")
#define YIMMO_NO_PROCESS YIMMO_NO("a plugin is one process and cannot start others: the setting `lanes` runs it several times")
#define YIMMO_NO_SLEEP   YIMMO_NO("a plugin cannot wait, it would hold up every session: use ev_timer")
#define YIMMO_NO_THREADS YIMMO_NO("a plugin has one thread: the setting `lanes` runs it several times")
#define YIMMO_NO_SIGNALS YIMMO_NO("a plugin cannot send signals: the host decides when it stops")
#define YIMMO_NO_JUMPS   YIMMO_NO("WebAssembly has no jumps out of a function: return an error")
#define YIMMO_NO_SYSTEM  YIMMO_NO("a plugin has no operating system around it")

#define YIMMO_FORMAT(f, a) __attribute__((format(printf, f, a)))

#endif
