/* SPDX-License-Identifier: Apache-2.0 */
/* What wasi-libc would import, so that the module imports nothing.  There are no files and no
 * environment; what is written to stderr (a failed assertion) is kept for the caller to read after
 * the trap. */
#include "base/file.h"

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define EXPORT(name) __attribute__((export_name(name)))

enum {
    DONE = 0,
    BAD_DESCRIPTOR = 8, /* WASI's EBADF */
    STDERR = 2,
    LAST_WORDS_SIZE = 512
};

struct piece {
    const char *data;
    size_t size;
};

static char last_words[LAST_WORDS_SIZE];
static size_t last_words_size;

EXPORT("s3n_last_words") const char *s3n_last_words(void);
EXPORT("s3n_last_words_size") size_t s3n_last_words_size(void);

const char *s3n_last_words(void)
{
    return last_words;
}

size_t s3n_last_words_size(void)
{
    return last_words_size;
}

int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, const struct piece *pieces,
                                                   size_t count, size_t *written);
int32_t __imported_wasi_snapshot_preview1_fd_write(int32_t fd, const struct piece *pieces,
                                                   size_t count, size_t *written)
{
    *written = 0;
    for (size_t i = 0; i < count && fd == STDERR; i++) {
        size_t room = LAST_WORDS_SIZE - last_words_size;
        size_t size = pieces[i].size < room ? pieces[i].size : room;
        memcpy(last_words + last_words_size, pieces[i].data, size);
        last_words_size += size;
        *written += pieces[i].size;
    }
    return fd == STDERR ? DONE : BAD_DESCRIPTOR;
}

int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd);
int32_t __imported_wasi_snapshot_preview1_fd_close(int32_t fd)
{
    (void)fd;
    return BAD_DESCRIPTOR;
}

int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t offset, int32_t whence,
                                                  int64_t *position);
int32_t __imported_wasi_snapshot_preview1_fd_seek(int32_t fd, int64_t offset, int32_t whence,
                                                  int64_t *position)
{
    (void)fd, (void)offset, (void)whence, (void)position;
    return BAD_DESCRIPTOR;
}

int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, void *state);
int32_t __imported_wasi_snapshot_preview1_fd_fdstat_get(int32_t fd, void *state)
{
    (void)fd, (void)state;
    return BAD_DESCRIPTOR;
}

int32_t __imported_wasi_snapshot_preview1_environ_sizes_get(size_t *count, size_t *size);
int32_t __imported_wasi_snapshot_preview1_environ_sizes_get(size_t *count, size_t *size)
{
    *count = *size = 0;
    return DONE;
}

int32_t __imported_wasi_snapshot_preview1_environ_get(char **names, char *text);
int32_t __imported_wasi_snapshot_preview1_environ_get(char **names, char *text)
{
    (void)names, (void)text;
    return DONE;
}

void __imported_wasi_snapshot_preview1_proc_exit(int32_t code);
void __imported_wasi_snapshot_preview1_proc_exit(int32_t code)
{
    (void)code;
    __builtin_trap();
}

/* Behind AUTO_FREE; the rest of base/file.c has no place here. */
void file_free(void *held)
{
    free(*(void **)held);
    *(void **)held = NULL;
}
