/* SPDX-License-Identifier: Apache-2.0 */
/* Files through which the kernel is asked: opened by a folder that was opened before, read and
 * written whole, and never for longer than a deadline.  Internal to platform.
 *
 * A read of the kernel may sleep as long as a host likes.  An interval timer interrupts it
 * (SIGALRM, without SA_RESTART); one call at a time in a process, from its main thread. */
#ifndef PLATFORM_KERNEL_FILE_H
#define PLATFORM_KERNEL_FILE_H

#include "base/buffer.h"
#include "base/error.h"

/* From now on calls below fail with TIMEOUT once the time is over, until deadline_end. */
struct deadline {
    uint64_t end_ns; /* monotonic */
};
void deadline_begin(struct deadline *deadline, unsigned timeout_ms);
void deadline_end(void);
bool deadline_is_over(const struct deadline *deadline);
/* Sleeps, at most until the deadline. */
void deadline_sleep(const struct deadline *deadline, unsigned duration_ms);

/* -1 without `path` below `root` (NULL: the system's); UNAVAILABLE names it. */
MUST_CHECK bool kernel_open(int *file, const char *root, const char *path, int flags,
                            struct error *error);
/* The path as kernel_open makes it, malloc'ed. */
MUST_CHECK bool kernel_path(char **full, const char *root, const char *path, struct error *error);
/* Replaces a folder's descriptor by the root's, which it has become. */
MUST_CHECK bool kernel_folder_jailed(int *folder, struct error *error);
/* Everything there is, appended.  error->os_errno is the kernel's. */
MUST_CHECK bool kernel_read(int folder, const char *name, const struct deadline *deadline,
                            struct buffer *content, struct error *error);
/* In one write, as configfs and sysfs want it. */
MUST_CHECK bool kernel_write(int folder, const char *name, struct bytes content,
                             const struct deadline *deadline, struct error *error);
/* The same through an open descriptor. */
MUST_CHECK bool kernel_ioctl(int file, unsigned long request, void *argument,
                             const struct deadline *deadline, struct error *error);

#endif
