/* Printing. Lines go to the host's log: stdout as info, stderr as warn. There are
 * no files and there is no input. */
#ifndef YIMMO_STDIO_H
#define YIMMO_STDIO_H
#include <stdarg.h>
#include "sys/types.h"
YIMMO_LIBC_BEGIN
typedef struct yimmo_file FILE;
typedef long fpos_t;
extern FILE yimmo_out, yimmo_err;
#define stdin  ((FILE *)0)
#define stdout (&yimmo_out)
#define stderr (&yimmo_err)
#define EOF (-1)
#define BUFSIZ 1024
#define FILENAME_MAX 255
#define FOPEN_MAX 3
#define L_tmpnam 20
#define SEEK_SET 0
#define SEEK_CUR 1
#define SEEK_END 2
#define _IOFBF 0
#define _IOLBF 1
#define _IONBF 2

int printf(const char *YIMMO_R format, ...) YIMMO_FORMAT(1, 2);
int fprintf(FILE *YIMMO_R f, const char *YIMMO_R format, ...) YIMMO_FORMAT(2, 3);
int dprintf(int fd, const char *YIMMO_R format, ...) YIMMO_FORMAT(2, 3);
int sprintf(char *YIMMO_R s, const char *YIMMO_R format, ...) YIMMO_FORMAT(2, 3);
int snprintf(char *YIMMO_R s, size_t n, const char *YIMMO_R format, ...) YIMMO_FORMAT(3, 4);
int asprintf(char **s, const char *YIMMO_R format, ...) YIMMO_FORMAT(2, 3);
int vprintf(const char *YIMMO_R format, va_list args) YIMMO_FORMAT(1, 0);
int vfprintf(FILE *YIMMO_R f, const char *YIMMO_R format, va_list args) YIMMO_FORMAT(2, 0);
int vsprintf(char *YIMMO_R s, const char *YIMMO_R format, va_list args) YIMMO_FORMAT(2, 0);
int vsnprintf(char *YIMMO_R s, size_t n, const char *YIMMO_R format, va_list args) YIMMO_FORMAT(3, 0);
int vasprintf(char **s, const char *YIMMO_R format, va_list args) YIMMO_FORMAT(2, 0);
int puts(const char *s);
int putchar(int c);
int fputs(const char *YIMMO_R s, FILE *YIMMO_R f);
int fputc(int c, FILE *f);
int putc(int c, FILE *f);
size_t fwrite(const void *YIMMO_R p, size_t size, size_t n, FILE *YIMMO_R f);
int fflush(FILE *f);
void perror(const char *s);
int fileno(FILE *f);
/* Conversions d i u x o f e g c s [ n %, width, *, h hh l ll z j t. No long double. */
int sscanf(const char *YIMMO_R s, const char *YIMMO_R format, ...) __attribute__((format(scanf, 2, 3)));
int vsscanf(const char *YIMMO_R s, const char *YIMMO_R format, va_list args) __attribute__((format(scanf, 2, 0)));
static inline int setvbuf(FILE *f, char *p, int mode, size_t n) { (void)f; (void)p; (void)mode; (void)n; return 0; }
static inline void setbuf(FILE *f, char *p) { (void)f; (void)p; }
static inline void setlinebuf(FILE *f) { (void)f; }
static inline int ferror(FILE *f) { (void)f; return 0; }
static inline int feof(FILE *f) { (void)f; return 0; }
static inline void clearerr(FILE *f) { (void)f; }

FILE *fopen(const char *YIMMO_R path, const char *YIMMO_R mode) YIMMO_NO_FILES;
FILE *freopen(const char *YIMMO_R path, const char *YIMMO_R mode, FILE *YIMMO_R f) YIMMO_NO_FILES;
FILE *fdopen(int fd, const char *mode) YIMMO_NO_FILES;
FILE *tmpfile(void) YIMMO_NO_FILES;
int fclose(FILE *f) YIMMO_NO_FILES;
int fseek(FILE *f, long at, int from) YIMMO_NO_FILES;
long ftell(FILE *f) YIMMO_NO_FILES;
void rewind(FILE *f) YIMMO_NO_FILES;
int remove(const char *path) YIMMO_NO_FILES;
int rename(const char *from, const char *to) YIMMO_NO_FILES;
size_t fread(void *YIMMO_R p, size_t size, size_t n, FILE *YIMMO_R f) YIMMO_NO_FILES;
int fscanf(FILE *YIMMO_R f, const char *YIMMO_R format, ...) YIMMO_NO_FILES;
char *fgets(char *YIMMO_R s, int n, FILE *YIMMO_R f) YIMMO_NO_INPUT;
int fgetc(FILE *f) YIMMO_NO_INPUT;
int getc(FILE *f) YIMMO_NO_INPUT;
int getchar(void) YIMMO_NO_INPUT;
int ungetc(int c, FILE *f) YIMMO_NO_INPUT;
int scanf(const char *YIMMO_R format, ...) YIMMO_NO_INPUT;
ssize_t getline(char **YIMMO_R line, size_t *YIMMO_R n, FILE *YIMMO_R f) YIMMO_NO_INPUT;
FILE *popen(const char *command, const char *mode) YIMMO_NO_PROCESS;
int pclose(FILE *f) YIMMO_NO_PROCESS;
YIMMO_LIBC_END
#endif
