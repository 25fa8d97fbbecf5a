#ifndef YIMMO_DIRENT_H
#define YIMMO_DIRENT_H
#include "sys/types.h"
typedef struct yimmo_dir DIR;
struct dirent { ino_t d_ino; char d_name[256]; };
YIMMO_LIBC_BEGIN
DIR *opendir(const char *path) YIMMO_NO_FILES;
struct dirent *readdir(DIR *d) YIMMO_NO_FILES;
int closedir(DIR *d) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
