/* What is left of a POSIX process: write to 1 and 2, getpid, getopt. */
#ifndef YIMMO_UNISTD_H
#define YIMMO_UNISTD_H
#include "getopt.h"
#include "sys/types.h"
YIMMO_LIBC_BEGIN
#define STDIN_FILENO 0
#define STDOUT_FILENO 1
#define STDERR_FILENO 2
#define R_OK 4
#define W_OK 2
#define X_OK 1
#define F_OK 0
#define _SC_PAGESIZE 30
#define _SC_NPROCESSORS_ONLN 84
ssize_t write(int fd, const void *p, size_t n);
static inline pid_t getpid(void) { return 1; }
static inline pid_t getppid(void) { return 0; }
static inline uid_t getuid(void) { return 0; }
static inline uid_t geteuid(void) { return 0; }
static inline gid_t getgid(void) { return 0; }
static inline gid_t getegid(void) { return 0; }
static inline int isatty(int fd) { (void)fd; return 0; }
static inline int getpagesize(void) { return 65536; }
static inline long sysconf(int name) { return name == _SC_PAGESIZE ? 65536 : name == _SC_NPROCESSORS_ONLN ? 1 : -1; }
__attribute__((noreturn)) void _exit(int status);

pid_t fork(void) YIMMO_NO_PROCESS;
pid_t vfork(void) YIMMO_NO_PROCESS;
int execv(const char *path, char *const argv[]) YIMMO_NO_PROCESS;
int execvp(const char *path, char *const argv[]) YIMMO_NO_PROCESS;
int execve(const char *path, char *const argv[], char *const envp[]) YIMMO_NO_PROCESS;
int execl(const char *path, const char *arg, ...) YIMMO_NO_PROCESS;
int execlp(const char *path, const char *arg, ...) YIMMO_NO_PROCESS;
int daemon(int a, int b) YIMMO_NO_PROCESS;
pid_t setsid(void) YIMMO_NO_PROCESS;
int setuid(uid_t id) YIMMO_NO_PROCESS;
int setgid(gid_t id) YIMMO_NO_PROCESS;
unsigned sleep(unsigned s) YIMMO_NO_SLEEP;
int usleep(unsigned us) YIMMO_NO_SLEEP;
int pause(void) YIMMO_NO_SLEEP;
unsigned alarm(unsigned s) YIMMO_NO_SLEEP;
ssize_t read(int fd, void *p, size_t n) YIMMO_NO_FILES;
ssize_t pread(int fd, void *p, size_t n, off_t at) YIMMO_NO_FILES;
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) YIMMO_NO_FILES;
off_t lseek(int fd, off_t at, int from) YIMMO_NO_FILES;
int close(int fd) YIMMO_NO_FILES;
int dup(int fd) YIMMO_NO_FILES;
int dup2(int from, int to) YIMMO_NO_FILES;
int pipe(int fd[2]) YIMMO_NO_FILES;
int access(const char *path, int mode) YIMMO_NO_FILES;
int unlink(const char *path) YIMMO_NO_FILES;
int rmdir(const char *path) YIMMO_NO_FILES;
int chdir(const char *path) YIMMO_NO_FILES;
char *getcwd(char *s, size_t n) YIMMO_NO_FILES;
int ftruncate(int fd, off_t n) YIMMO_NO_FILES;
int fsync(int fd) YIMMO_NO_FILES;
int gethostname(char *s, size_t n) YIMMO_NO_SYSTEM;
YIMMO_LIBC_END
#endif
