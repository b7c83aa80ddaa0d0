/* SPDX-License-Identifier: Apache-2.0 */
/* Files and descriptors. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buffer.h"
#include "base/error.h"

#include <sys/types.h>

void file_close(int *descriptor);
#define AUTO_CLOSE __attribute__((cleanup(file_close)))

/* Reads the whole file into `content` (emptied first); LIMIT above its size_max. */
MUST_CHECK bool file_read(struct buffer *content, const char *path, struct error *error);
MUST_CHECK bool file_read_descriptor(struct buffer *content, int descriptor, struct error *error);
/* Replaces the file atomically: temporary file beside it, fsync, rename, fsync of the folder.  The
 * old content stays when anything fails. */
MUST_CHECK bool file_replace(const char *path, struct bytes content, mode_t mode,
                             struct error *error);
MUST_CHECK bool file_make_folder(const char *path, mode_t mode, struct error *error);
/* Writes everything, going on after short writes and EINTR. */
MUST_CHECK bool file_write_all(int descriptor, struct bytes content, struct error *error);
/* An anonymous file (memfd) holding `content`, sealed against any change. */
MUST_CHECK bool file_sealed(int *descriptor, const char *name, struct bytes content,
                            struct error *error);
/* Maps a regular or anonymous file read-only and shared; unmap with file_unmap. */
MUST_CHECK bool file_map(struct bytes *content, int descriptor, struct error *error);
void file_unmap(struct bytes *content);

#endif
