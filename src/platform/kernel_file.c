/* SPDX-License-Identifier: Apache-2.0 */
#include "platform/kernel_file.h"

#include "base/clock.h"
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum {
    READ_SIZE = 16 << 10,
    TICK_US = 50000 /* a signal that comes between check and call is followed by another */
};

static void wake(int signal_number UNUSED)
{
}

void deadline_begin(struct deadline *deadline, unsigned timeout_ms)
{
    struct sigaction action = { .sa_handler = wake };
    sigaction(SIGALRM, &action, NULL);
    deadline->end_ns = clock_monotonic_ns(&clock_system) + (uint64_t)timeout_ms * 1000000u;
    struct itimerval ticks = { .it_interval = { .tv_usec = TICK_US },
                               .it_value = { .tv_sec = timeout_ms / 1000,
                                             .tv_usec = (timeout_ms % 1000) * 1000 + 1 } };
    if (setitimer(ITIMER_REAL, &ticks, NULL) != 0)
        ASSERT(false);
}

void deadline_end(void)
{
    struct itimerval none = { 0 };
    if (setitimer(ITIMER_REAL, &none, NULL) != 0)
        ASSERT(false);
}

bool deadline_is_over(const struct deadline *deadline)
{
    return clock_monotonic_ns(&clock_system) >= deadline->end_ns;
}

void deadline_sleep(const struct deadline *deadline, unsigned duration_ms)
{
    struct timespec pause = { .tv_sec = duration_ms / 1000,
                              .tv_nsec = (long)(duration_ms % 1000) * 1000000 };
    if (!deadline_is_over(deadline))
        nanosleep(&pause, NULL);
}

/* After an interrupted call: whether to try again. */
static bool goes_on(const struct deadline *deadline, const char *what, struct error *error)
{
    if (errno == EINTR && !deadline_is_over(deadline))
        return true;
    if (errno == EINTR)
        error_set(error, ERROR_TIMEOUT, "%s: the kernel gave no answer in time", what);
    else
        error_system(error, "%s", what);
    return false;
}

bool kernel_path(char **full, const char *root, const char *path, struct error *error)
{
    *full = NULL;
    return asprintf(full, "%s%s", root == NULL ? "" : root, path) >= 0 ||
           error_set(error, ERROR_NO_MEMORY, "no memory for a path");
}

bool kernel_open(int *file, const char *root, const char *path, int flags, struct error *error)
{
    AUTO_FREE char *full = NULL;
    if (!kernel_path(&full, root, path, error))
        return false;
    *file = open(full, flags | O_CLOEXEC | O_NOCTTY);
    if (*file >= 0)
        return true;
    error_system(error, "%s", path);
    if (errno == ENOENT || errno == ENOTDIR || errno == ENXIO || errno == ENODEV)
        error->code = ERROR_UNAVAILABLE;
    return false;
}

bool kernel_folder_jailed(int *folder, struct error *error)
{
    file_close(folder);
    *folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return *folder >= 0 || error_system(error, "open the platform's folder");
}

bool kernel_read(int folder, const char *name, const struct deadline *deadline,
                 struct buffer *content, struct error *error)
{
    AUTO_CLOSE int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return error_system(error, "open %s", name);
    for (;;) {
        uint8_t *room = buffer_reserve(content, READ_SIZE);
        if (room == NULL)
            return error_set(error, ERROR_LIMIT, "%s is longer than can be", name);
        ssize_t size = read(file, room, READ_SIZE);
        if (size == 0)
            return true;
        if (size > 0)
            content->size += (size_t)size;
        else if (!goes_on(deadline, name, error))
            return false;
        if (deadline_is_over(deadline))
            return error_set(error, ERROR_TIMEOUT, "%s: the kernel gave no answer in time", name);
    }
}

bool kernel_write(int folder, const char *name, struct bytes content,
                  const struct deadline *deadline, struct error *error)
{
    AUTO_CLOSE int file = openat(folder, name, O_WRONLY | O_CLOEXEC);
    if (file < 0)
        return error_system(error, "open %s", name);
    for (;;) {
        ssize_t size = write(file, content.data, content.size);
        if (size == (ssize_t)content.size)
            break;
        if (size >= 0)
            return error_set(error, ERROR_SYSTEM, "%s took %zd of %zu bytes", name, size,
                             content.size);
        if (!goes_on(deadline, name, error))
            return false;
    }
    /* configfs commits binary attributes when they are closed, and tells errors there. */
    int closed = close(file);
    file = -1;
    return closed == 0 || error_system(error, "write %s", name);
}

bool kernel_ioctl(int file, unsigned long request, void *argument, const struct deadline *deadline,
                  struct error *error)
{
    while (ioctl(file, request, argument) < 0)
        if (!goes_on(deadline, "ioctl", error))
            return false;
    return true;
}
