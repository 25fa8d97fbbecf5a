#ifndef YIMMO_SYS_STAT_H
#define YIMMO_SYS_STAT_H
#include "../time.h"
YIMMO_LIBC_BEGIN
struct stat { dev_t st_dev; ino_t st_ino; mode_t st_mode; uid_t st_uid; gid_t st_gid; off_t st_size; time_t st_mtime; };
int stat(const char *YIMMO_R path, struct stat *YIMMO_R out) YIMMO_NO_FILES;
int fstat(int fd, struct stat *out) YIMMO_NO_FILES;
int mkdir(const char *path, mode_t mode) YIMMO_NO_FILES;
int chmod(const char *path, mode_t mode) YIMMO_NO_FILES;
mode_t umask(mode_t mode) YIMMO_NO_FILES;
YIMMO_LIBC_END
#endif
