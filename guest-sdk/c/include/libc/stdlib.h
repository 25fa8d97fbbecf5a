/* Memory, numbers, sorting, and the environment, which is the plugin's
 * configuration. */
#ifndef YIMMO_STDLIB_H
#define YIMMO_STDLIB_H
#include "alloca.h"
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
#define EXIT_SUCCESS 0
#define EXIT_FAILURE 1
#define RAND_MAX 0x7fffffff
#define MB_CUR_MAX 1
typedef struct { int quot, rem; } div_t;
typedef struct { long quot, rem; } ldiv_t;
typedef struct { long long quot, rem; } lldiv_t;

void *malloc(size_t n) __attribute__((malloc));
void *calloc(size_t count, size_t size) __attribute__((malloc));
void *realloc(void *p, size_t n);
void *reallocarray(void *p, size_t count, size_t size);
void *aligned_alloc(size_t align, size_t n);
int posix_memalign(void **p, size_t align, size_t n);
void free(void *p);

/* getenv finds the configuration key of that name, or of that name in lower case.
 * The strings stay. */
char *getenv(const char *name);
int setenv(const char *name, const char *value, int overwrite) YIMMO_NO("the environment is the plugin's configuration and cannot be changed");
int putenv(char *s) YIMMO_NO("the environment is the plugin's configuration and cannot be changed");

/* These trap, as nothing can leave a plugin in mid-turn: what the turn did is
 * undone and the host reports the trap. At the end of main, return. */
__attribute__((noreturn)) void abort(void);
__attribute__((noreturn)) void exit(int status);
__attribute__((noreturn)) void _Exit(int status);
/* Called when main has returned after the event loop. */
int atexit(void (*f)(void));

int atoi(const char *s);
long atol(const char *s);
long long atoll(const char *s);
double atof(const char *s);
long strtol(const char *YIMMO_R s, char **YIMMO_R end, int base);
unsigned long strtoul(const char *YIMMO_R s, char **YIMMO_R end, int base);
long long strtoll(const char *YIMMO_R s, char **YIMMO_R end, int base);
unsigned long long strtoull(const char *YIMMO_R s, char **YIMMO_R end, int base);
double strtod(const char *YIMMO_R s, char **YIMMO_R end);
float strtof(const char *YIMMO_R s, char **YIMMO_R end);

int rand(void);
void srand(unsigned seed);
int rand_r(unsigned *seed);
long random(void);
void srandom(unsigned seed);
/* From the host's seed. */
uint32_t arc4random(void);
uint32_t arc4random_uniform(uint32_t below);
void arc4random_buf(void *p, size_t n);

void qsort(void *p, size_t count, size_t size, int (*cmp)(const void *, const void *));
void *bsearch(const void *key, const void *p, size_t count, size_t size, int (*cmp)(const void *, const void *));

static inline int abs(int v) { return v < 0 ? -v : v; }
static inline long labs(long v) { return v < 0 ? -v : v; }
static inline long long llabs(long long v) { return v < 0 ? -v : v; }
static inline div_t div(int a, int b) { div_t r = { a / b, a % b }; return r; }
static inline ldiv_t ldiv(long a, long b) { ldiv_t r = { a / b, a % b }; return r; }
static inline lldiv_t lldiv(long long a, long long b) { lldiv_t r = { a / b, a % b }; return r; }

int system(const char *command) YIMMO_NO_PROCESS;
int mkstemp(char *template_) YIMMO_NO_FILES;
char *realpath(const char *YIMMO_R path, char *YIMMO_R out) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
