package c_test

import (
	"strings"
	"testing"
)

// What has no meaning in a sandbox does not compile, and says why.
func TestCannot(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, code, why string }{
		{"fork", `#include <unistd.h>
			int f(void) { return fork(); }`, "a plugin is one process and cannot start others"},
		{"exec", `#include <unistd.h>
			void f(char **a) { execvp("sh", a); }`, "cannot start others"},
		{"system", `#include <stdlib.h>
			int f(void) { return system("ls"); }`, "cannot start others"},
		{"socket", `#include <sys/socket.h>
			int f(void) { return socket(AF_INET, SOCK_STREAM, 0); }`, "the host owns the sockets"},
		{"listen on a socket of one's own", `#include "yimmo.h"
			int f(ymo_server_t* s) { return ymo_server_init_socket(s, 3); }`, "the host owns the sockets"},
		{"epoll", `#include <sys/epoll.h>
			int f(void) { return epoll_create1(0); }`, "the host owns the sockets"},
		{"name lookup", `#include <netdb.h>
			void* f(void) { return gethostbyname("example.org"); }`, "the host owns the sockets"},
		{"file", `#include <stdio.h>
			FILE* f(void) { return fopen("x", "r"); }`, "a plugin has no files"},
		{"descriptor", `#include <fcntl.h>
			int f(void) { return open("x", O_RDONLY); }`, "a plugin has no files"},
		{"read", `#include <unistd.h>
			long f(char* p) { return read(0, p, 1); }`, "a plugin has no files"},
		{"bucket from a file", `#include "yimmo.h"
			ymo_bucket_t* f(void) { return ymo_bucket_from_file(NULL, NULL, "index.html"); }`, "a plugin has no files"},
		{"mmap", `#include <sys/mman.h>
			void* f(void) { return mmap(0, 4096, PROT_READ, MAP_PRIVATE, 3, 0); }`, "a plugin has no files"},
		{"input", `#include <stdio.h>
			char* f(char* p) { return fgets(p, 10, stdin); }`, "a plugin has no standard input"},
		{"sleep", `#include <unistd.h>
			void f(void) { sleep(1); }`, "use ev_timer"},
		{"usleep", `#include <unistd.h>
			void f(void) { usleep(1); }`, "use ev_timer"},
		{"nanosleep", `#include <time.h>
			void f(struct timespec* t) { nanosleep(t, 0); }`, "use ev_timer"},
		{"ev_sleep", `#include <ev.h>
			void f(void) { ev_sleep(1.); }`, "use ev_timer"},
		{"ev_io", `#include <ev.h>
			void f(struct ev_loop* l, ev_io* w) { ev_io_start(l, w); }`, "a plugin has no file descriptors"},
		{"ev_once on a descriptor", `#include <ev.h>
			void f(struct ev_loop* l, int fd, void (*cb)(int, void*)) { ev_once(l, fd, EV_READ, 1., cb, 0); }`, "a plugin has no file descriptors"},
		{"ev_once on standard input", `#include <ev.h>
			void f(struct ev_loop* l, void (*cb)(int, void*)) { ev_once(l, 0, 0, 1., cb, 0); }`, "a plugin has no file descriptors"},
		{"ev_child", `#include <ev.h>
			void f(struct ev_loop* l, ev_child* w) { ev_child_start(l, w); }`, "a plugin has no child processes"},
		{"ev_stat", `#include <ev.h>
			void f(struct ev_loop* l, ev_stat* w) { ev_stat_start(l, w); }`, "a plugin has no files to watch"},
		{"thread", `#include <pthread.h>
			int f(pthread_t* t, void* (*g)(void*)) { return pthread_create(t, 0, g, 0); }`, "a plugin has one thread"},
		{"wait for a condition", `#include <pthread.h>
			int f(pthread_cond_t* c, pthread_mutex_t* m) { return pthread_cond_wait(c, m); }`, "a plugin cannot wait"},
		{"longjmp", `#include <setjmp.h>
			void f(jmp_buf b) { longjmp(b, 1); }`, "WebAssembly has no jumps out of a function"},
		{"kill", `#include <signal.h>
			int f(void) { return kill(1, SIGTERM); }`, "the host decides when it stops"},
		{"setenv", `#include <stdlib.h>
			int f(void) { return setenv("A", "b", 1); }`, "cannot be changed"},
		{"dlopen", `#include <dlfcn.h>
			void* f(void) { return dlopen("x.so", RTLD_NOW); }`, "a plugin has no files"},
		{"pre-fork", `#include "yimmo.h"
			int f(ymo_server_t* s) { return ymo_server_pre_fork(s); }`, "a plugin is one process and cannot fork"},
		{"pow", `#include <math.h>
			double f(double x) { return pow(x, 2.5); }`, "build with wasi-libc"},
		{"hostname", `#include <unistd.h>
			int f(char* p) { return gethostname(p, 10); }`, "a plugin has no operating system around it"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			m := compile("-c", source(t, tt.code+"\n"))
			if m.err == nil {
				t.Fatal("it compiles")
			}
			if !strings.Contains(m.err.Error(), tt.why) {
				t.Errorf("the compiler does not say %q:\n%v", tt.why, m.err)
			}
		})
	}
}

// What such headers declare may be mentioned as long as it is not used.
func TestMentioned(t *testing.T) {
	t.Parallel()
	m := compile("-c", source(t, `#include <sys/socket.h>
		#include <unistd.h>
		struct options { struct sockaddr_storage where; int fd; ev_tstamp_ t; };
		#define LISTEN(s) listen(s, 5)
		`+"\n"), "-Dev_tstamp_=double")
	if m.err != nil {
		t.Error(m.err)
	}
}

// A program without main is told so.
func TestNoMain(t *testing.T) {
	t.Parallel()
	m := linked(t, "libyimmo.c", source(t, "int nothing;\n"))
	_, err := start(t, m, options{})
	if err == nil || !strings.Contains(err.Error(), "yimmo_the_program_has_no_main_function") {
		t.Errorf("start: got %v, want a trap that says what is missing", err)
	}
}
