#ifndef YIMMO_ALLOCA_H
#define YIMMO_ALLOCA_H
#define alloca(n) __builtin_alloca(n)
#endif
