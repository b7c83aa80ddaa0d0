/* SPDX-License-Identifier: Apache-2.0 */
/* The imports that take paths and buffers, as tests like to call them.  Addresses in linear memory:
 * paths at 1000 and 6000, results at 16, buffers' lists at 64, their bytes from 20000 on. */
#ifndef GUEST_TEST_PATHS_H
#define GUEST_TEST_PATHS_H

#include "guest/errno.h"
#include "guest/limits.h"
#include "guest/test_guest.h"

enum {
    TEST_RESULT = 16,
    TEST_LIST = 64,
    TEST_BYTES = 20000,
    TEST_BYTES_MAX = 100000,
    TEST_FOLDER = 3 /* the first preopened folder */
};

/* All return the error number; fd_open's result, numbers read and so on are at TEST_RESULT. */
int fd_open(uint32_t folder, const char *path, uint32_t flags, uint64_t rights);
int fd_open_with(uint32_t folder, uint32_t lookup, struct bytes path, uint32_t flags,
                 uint64_t rights, uint64_t inheriting, uint32_t fd_flags);
int fd_write_text(uint32_t fd, const char *text);
int fd_pwrite_text(uint32_t fd, const char *text, uint64_t offset);
/* The bytes are at TEST_BYTES. */
int fd_read_bytes(uint32_t fd, uint32_t size);
int fd_pread_bytes(uint32_t fd, uint32_t size, uint64_t offset);
int path_make_folder(uint32_t folder, const char *path);
int path_remove_folder(uint32_t folder, const char *path);
int path_unlink(uint32_t folder, const char *path);
int path_make_link(uint32_t folder, const char *target, const char *path);
int path_rename(uint32_t from_folder, const char *from, uint32_t to_folder, const char *to);
int path_link(uint32_t from_folder, uint32_t lookup, const char *from, uint32_t to_folder,
              const char *to);
int path_read_link(uint32_t folder, const char *path);
/* The 64 bytes are at TEST_BYTES. */
int path_stat(uint32_t folder, uint32_t lookup, const char *path);

uint32_t test_result(void);
uint64_t test_u64(uint32_t address);
/* What a call left at TEST_BYTES, TEST_RESULT bytes of it. */
struct bytes test_bytes(void);

#endif
