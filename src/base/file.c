/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"

#include "base/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

void file_close(int *descriptor)
{
    if (*descriptor >= 0)
        close(*descriptor);
    *descriptor = -1;
}

void file_free(void *pointer)
{
    void **held = pointer;
    free(*held);
    *held = NULL;
}

/* False at the end or on an error, which *result tells apart: 0 or -1. */
static bool read_some(int descriptor, void *target, size_t size, ssize_t *result)
{
    do {
        *result = read(descriptor, target, size);
    } while (*result < 0 && errno == EINTR);
    return *result > 0;
}

bool file_read_descriptor(struct buffer *content, int descriptor, struct error *error)
{
    buffer_clear(content);
    ssize_t got;
    for (;;) {
        size_t room = MIN((size_t)FILE_READ_SIZE, content->size_max - content->size);
        uint8_t one_more;
        uint8_t *target = room == 0 ? &one_more : buffer_reserve(content, room);
        if (target == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for %zu bytes of a file",
                             content->size);
        if (!read_some(descriptor, target, MAX(room, (size_t)1), &got))
            break;
        if (room == 0)
            return error_set(error, ERROR_LIMIT, "more than %zu bytes", content->size_max);
        content->size += (size_t)got;
    }
    return got == 0 || error_system(error, "read");
}

bool file_read(struct buffer *content, const char *path, struct error *error)
{
    AUTO_CLOSE int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return error_system(error, "open %s", error_quote(bytes_of_string(path)).text);
    return file_read_descriptor(content, descriptor, error) ||
           error_within(error, "%s", error_quote(bytes_of_string(path)).text);
}

bool file_write_all(int descriptor, struct bytes content, struct error *error)
{
    size_t done = 0;
    while (done < content.size) {
        ssize_t wrote = write(descriptor, content.data + done, content.size - done);
        if (wrote >= 0) {
            done += (size_t)wrote;
            continue;
        }
        if (errno == EAGAIN) {
            struct pollfd wait = { .fd = descriptor, .events = POLLOUT };
            poll(&wait, 1, -1);
        } else if (errno != EINTR) {
            return error_system(error, "write");
        }
    }
    return true;
}

/* The folder's part of `path`, "." when it names none. */
static bool folder_of(char folder[PATH_MAX], const char *path, struct error *error)
{
    if (strlen(path) + 16 >= PATH_MAX)
        return error_set(error, ERROR_INVALID, "path of %zu bytes is too long", strlen(path));
    const char *slash = strrchr(path, '/');
    if (slash == NULL)
        snprintf(folder, PATH_MAX, ".");
    else
        snprintf(folder, PATH_MAX, "%.*s", MAX(1, (int)(slash - path)), path);
    return true;
}

static bool write_temporary(int descriptor, struct bytes content, mode_t mode, struct error *error)
{
    if (!file_write_all(descriptor, content, error))
        return false;
    return fchmod(descriptor, mode) == 0 || error_system(error, "set mode");
}

static bool replace(const char *path, struct bytes content, mode_t mode, bool is_synced,
                    struct error *error)
{
    char temporary[PATH_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.XXXXXX", path) >= (int)sizeof(temporary))
        return error_set(error, ERROR_INVALID, "path is too long");
    AUTO_CLOSE int descriptor = mkostemp(temporary, O_CLOEXEC);
    if (descriptor < 0)
        return error_system(error, "write %s", error_quote(bytes_of_string(path)).text);
    bool is_written = write_temporary(descriptor, content, mode, error) &&
                      (!is_synced || fsync(descriptor) == 0 || error_system(error, "sync"));
    if (!is_written) {
        unlink(temporary);
        return error_within(error, "%s", error_quote(bytes_of_string(path)).text);
    }
    if (rename(temporary, path) != 0) {
        error_system(error, "replace %s", error_quote(bytes_of_string(path)).text);
        unlink(temporary);
        return false;
    }
    return true;
}

bool file_replace_unsynced(const char *path, struct bytes content, mode_t mode, struct error *error)
{
    return replace(path, content, mode, false, error);
}

bool file_replace(const char *path, struct bytes content, mode_t mode, struct error *error)
{
    char folder[PATH_MAX];
    if (!folder_of(folder, path, error) || !replace(path, content, mode, true, error))
        return false;
    AUTO_CLOSE int above = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above < 0 || fsync(above) != 0)
        return error_system(error, "sync folder %s", error_quote(bytes_of_string(folder)).text);
    return true;
}

void file_hold_streams(void)
{
    for (int stream = STDIN_FILENO; stream <= STDERR_FILENO; stream++) {
        if (fcntl(stream, F_GETFD) < 0 &&
            open("/dev/null", stream == STDIN_FILENO ? O_WRONLY : O_RDONLY) < 0)
            return;
    }
}

bool file_make_folder(const char *path, mode_t mode, struct error *error)
{
    char part[PATH_MAX];
    size_t size = strlen(path);
    if (size == 0 || size >= sizeof(part))
        return error_set(error, ERROR_INVALID, "a folder's path has 1 to %d bytes", PATH_MAX - 1);
    for (size_t end = 1; end <= size; end++) {
        if (path[end] != '/' && path[end] != '\0')
            continue;
        memcpy(part, path, end);
        part[end] = '\0';
        if (mkdir(part, mode) == 0)
            continue;
        struct stat status;
        int number = errno;
        bool is_there = stat(part, &status) == 0;
        if (is_there && S_ISDIR(status.st_mode))
            continue;
        errno = is_there ? ENOTDIR : number;
        return error_system(error, "make folder %s", error_quote(bytes_of_string(part)).text);
    }
    return true;
}

enum {
    SEALS_WANTED = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL
};

bool file_sealed(int *descriptor, const char *name, struct bytes content, struct error *error)
{
    AUTO_CLOSE int made = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
    if (made < 0)
        return error_system(error, "make anonymous file");
    if (!file_write_all(made, content, error))
        return error_within(error, "anonymous file");
    if (lseek(made, 0, SEEK_SET) != 0 || fcntl(made, F_ADD_SEALS, SEALS_WANTED) != 0)
        return error_system(error, "seal anonymous file");
    *descriptor = made;
    made = -1;
    return true;
}

bool file_is_sealed(int descriptor)
{
    int seals = fcntl(descriptor, F_GET_SEALS);
    return seals >= 0 && (seals & F_SEAL_SHRINK) != 0 && (seals & F_SEAL_WRITE) != 0;
}

bool file_map(struct bytes *content, int descriptor, struct error *error)
{
    struct stat status;
    if (fstat(descriptor, &status) != 0)
        return error_system(error, "look at the file to map");
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "only regular files can be mapped");
    size_t size = (size_t)status.st_size;
    if (size == 0) {
        *content = (struct bytes){ 0 };
        return true;
    }
    void *data = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
    if (data == MAP_FAILED)
        return error_system(error, "map a file of %zu bytes", size);
    *content = bytes_of(data, size);
    return true;
}

void file_unmap(struct bytes *content)
{
    if (content->data != NULL)
        munmap((void *)(uintptr_t)content->data, content->size);
    *content = (struct bytes){ 0 };
}
