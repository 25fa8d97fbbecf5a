#ifndef YIMMO_SETJMP_H
#define YIMMO_SETJMP_H
#include "yimmo_libc.h"
typedef long jmp_buf[8];
typedef jmp_buf sigjmp_buf;
int setjmp(jmp_buf b) YIMMO_NO_JUMPS;
int sigsetjmp(sigjmp_buf b, int save) YIMMO_NO_JUMPS;
void longjmp(jmp_buf b, int v) YIMMO_NO_JUMPS;
void siglongjmp(sigjmp_buf b, int v) YIMMO_NO_JUMPS;
#endif
