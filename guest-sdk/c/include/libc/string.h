/* Strings. */
#ifndef YIMMO_STRING_H
#define YIMMO_STRING_H
#include "yimmo_libc.h"
YIMMO_LIBC_BEGIN
void *memcpy(void *YIMMO_R to, const void *YIMMO_R from, size_t n);
void *mempcpy(void *YIMMO_R to, const void *YIMMO_R from, size_t n);
void *memmove(void *to, const void *from, size_t n);
void *memset(void *p, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
void *memchr(const void *p, int c, size_t n);
void *memrchr(const void *p, int c, size_t n);
void *memmem(const void *p, size_t n, const void *what, size_t len);
void *memccpy(void *YIMMO_R to, const void *YIMMO_R from, int c, size_t n);
size_t strlen(const char *s);
size_t strnlen(const char *s, size_t n);
char *strcpy(char *YIMMO_R to, const char *YIMMO_R from);
char *stpcpy(char *YIMMO_R to, const char *YIMMO_R from);
char *strncpy(char *YIMMO_R to, const char *YIMMO_R from, size_t n);
char *strcat(char *YIMMO_R to, const char *YIMMO_R from);
char *strncat(char *YIMMO_R to, const char *YIMMO_R from, size_t n);
size_t strlcpy(char *YIMMO_R to, const char *YIMMO_R from, size_t n);
size_t strlcat(char *YIMMO_R to, const char *YIMMO_R from, size_t n);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t n);
int strcoll(const char *a, const char *b);
char *strchr(const char *s, int c);
char *strchrnul(const char *s, int c);
char *strrchr(const char *s, int c);
char *strstr(const char *s, const char *what);
char *strcasestr(const char *s, const char *what);
size_t strspn(const char *s, const char *set);
size_t strcspn(const char *s, const char *set);
char *strpbrk(const char *s, const char *set);
char *strtok(char *YIMMO_R s, const char *YIMMO_R set);
char *strtok_r(char *YIMMO_R s, const char *YIMMO_R set, char **YIMMO_R rest);
char *strsep(char **s, const char *set);
char *strdup(const char *s);
char *strndup(const char *s, size_t n);
#define strdupa(s) strcpy((char *)__builtin_alloca(strlen(s) + 1), (s))
char *strerror(int e);
int strerror_r(int e, char *s, size_t n);
char *strsignal(int sig);
int strcasecmp(const char *a, const char *b);
int strncasecmp(const char *a, const char *b, size_t n);
void explicit_bzero(void *p, size_t n);
YIMMO_LIBC_END
#endif
