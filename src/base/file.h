/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors.  All descriptors made here are close-on-exec. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <sys/types.h>

/* Closes unless negative, and leaves -1. */
void file_close(int *descriptor);
#define AUTO_CLOSE __attribute__((cleanup(file_close)))
/* Frees what malloc gave. */
void file_free(void *pointer);
#define AUTO_FREE __attribute__((cleanup(file_free)))

/* For the start of a program: standard streams that its caller closed become ones that can't be
 * used, so that no file or socket opened later gets their number. */
void file_hold_streams(void);
/* Reads the whole file into `content` (emptied first); LIMIT above its size_max. */
MUST_CHECK bool file_read(struct buffer *content, const char *path, struct error *error);
MUST_CHECK bool file_read_descriptor(struct buffer *content, int descriptor, struct error *error);
/* Replaces the file atomically for whoever looks.  After a crash of the machine it may be the old
 * one, the new one or empty. */
MUST_CHECK bool file_replace_unsynced(const char *path, struct bytes content, mode_t mode,
                                      struct error *error);
/* Replaces the file atomically: temporary file beside it, fsync, rename, fsync of the folder.  The
 * old content stays when anything fails. */
MUST_CHECK bool file_replace(const char *path, struct bytes content, mode_t mode,
                             struct error *error);
/* Makes the folder and those above it that are missing; `mode` for each made.  One that is there
 * already is fine and keeps its mode. */
MUST_CHECK bool file_make_folder(const char *path, mode_t mode, struct error *error);
/* Writes everything, going on after short writes, EINTR and (by waiting) EAGAIN. */
MUST_CHECK bool file_write_all(int descriptor, struct bytes content, struct error *error);
/* An anonymous file (memfd) holding `content`, sealed against any change; its offset is 0. */
MUST_CHECK bool file_sealed(int *descriptor, const char *name, struct bytes content,
                            struct error *error);
/* Whether the anonymous file can neither change nor shrink: then what file_map gives is constant,
 * whoever else holds the descriptor. */
bool file_is_sealed(int descriptor);
/* Maps a regular or anonymous file read-only and shared; unmap with file_unmap. */
MUST_CHECK bool file_map(struct bytes *content, int descriptor, struct error *error);
void file_unmap(struct bytes *content);

#endif
