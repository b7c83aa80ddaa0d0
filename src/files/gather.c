/* SPDX-License-Identifier: Apache-2.0 */
#include "files/gather.h"

#include "base/file.h"
#include "files/pattern.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    DEPTH_MAX = 64,
    PATTERN_COUNT_MAX = 256
};

/* One gathering. */
struct gather {
    struct tree *tree;
    const struct gather_watch *watch; /* NULL: patterns decide what is taken */
    const char *root;                 /* as the caller named it */
    const char *real_root;            /* patterns: without links */
    const char *const *patterns;
    size_t pattern_count;
    bool was_matched[PATTERN_COUNT_MAX];
    char path[PATH_MAX]; /* of what is looked at, from the root */
    size_t path_size;
    unsigned depth;
    struct buffer content;
};

static bool fail_here(const struct gather *gather, struct error *error)
{
    return error_within(error, "%s/%s", gather->root,
                        error_quote(bytes_of_string(gather->path)).text);
}

static void skip(const struct gather *gather, const char *reason)
{
    gather->watch->skipped(gather->watch->context, gather->path, reason);
}

/* Appends a name to the path; *before is what path_leave wants back. */
static bool path_enter(struct gather *gather, const char *name, size_t *before, struct error *error)
{
    size_t size = strlen(name), start = gather->path_size + (gather->path_size > 0);
    if (start + size >= sizeof(gather->path))
        return error_set(error, ERROR_LIMIT, "too long a path");
    *before = gather->path_size;
    if (gather->path_size > 0)
        gather->path[gather->path_size] = '/';
    memcpy(gather->path + start, name, size + 1);
    gather->path_size = start + size;
    return true;
}

static void path_leave(struct gather *gather, size_t before)
{
    gather->path_size = before;
    gather->path[before] = '\0';
}

static uint64_t time_of(const struct gather *gather, const struct stat *status)
{
    if (gather->watch == NULL || status->st_mtim.tv_sec < 0)
        return 0;
    return (uint64_t)status->st_mtim.tv_sec * 1000000000u + (uint64_t)status->st_mtim.tv_nsec;
}

static bool add_file(struct gather *gather, uint32_t parent, int descriptor, const char *name,
                     const struct stat *status, struct error *error)
{
    if ((uint64_t)status->st_size > tree_room(gather->tree))
        return error_set(error, ERROR_LIMIT, "more than %d MiB of files", FILES_SIZE_MAX >> 20);
    return file_read_descriptor(&gather->content, descriptor, error) &&
           tree_add_file(gather->tree, parent, bytes_of_string(name), time_of(gather, status),
                         buffer_view(&gather->content), error);
}

static bool add_link(struct gather *gather, uint32_t parent, int folder, const char *name,
                     const struct stat *status, struct error *error)
{
    char target[FILES_TARGET_SIZE_MAX + 1];
    ssize_t size = readlinkat(folder, name, target, sizeof(target));
    if (size < 0)
        return error_system(error, "read the link");
    struct bytes text = bytes_of(target, (size_t)size);
    if (text.size > FILES_TARGET_SIZE_MAX || !bytes_is_utf8(text)) {
        skip(gather, "its target is no text of a link's size");
        return true;
    }
    return tree_add_link(gather->tree, parent, bytes_of_string(name), time_of(gather, status), text,
                         error);
}

/* --- whole folders --- */

/* What is done with each entry of a folder that is walked; `parent` is its number in the tree. */
typedef bool gather_entry(struct gather *gather, uint32_t parent, int folder, const char *name,
                          struct error *error);

static bool folder_walk(struct gather *gather, uint32_t number, int descriptor, gather_entry *entry,
                        struct error *error);

static bool opens(int folder, const char *name, int flags, int *descriptor, struct error *error)
{
    *descriptor = openat(folder, name, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOFOLLOW);
    return *descriptor >= 0 || error_system(error, "open");
}

static bool copy_entry(struct gather *gather, uint32_t parent, int folder, const char *name,
                       struct error *error)
{
    AUTO_CLOSE int descriptor = -1;
    struct stat status;
    uint32_t number;
    if (!bytes_is_utf8(bytes_of_string(name))) {
        skip(gather, "its name is no UTF-8");
        return true;
    }
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return error_system(error, "look at it");
    switch (status.st_mode & S_IFMT) {
    case S_IFDIR:
        return tree_add_folder(gather->tree, parent, bytes_of_string(name),
                               time_of(gather, &status), &number, error) &&
               opens(folder, name, O_DIRECTORY, &descriptor, error) &&
               folder_walk(gather, number, descriptor, copy_entry, error);
    case S_IFREG:
        return opens(folder, name, 0, &descriptor, error) &&
               add_file(gather, parent, descriptor, name, &status, error);
    case S_IFLNK:
        return add_link(gather, parent, folder, name, &status, error);
    default:
        skip(gather, "it is neither a file, nor a folder, nor a link");
        return true;
    }
}

static bool is_dots(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static bool entries_walk(struct gather *gather, uint32_t number, DIR *folder, gather_entry *entry,
                         struct error *error)
{
    for (;;) {
        errno = 0;
        const struct dirent *row = readdir(folder);
        size_t before;
        if (row == NULL)
            return errno == 0 || error_system(error, "read the folder");
        if (is_dots(row->d_name))
            continue;
        if (!path_enter(gather, row->d_name, &before, error) ||
            !entry(gather, number, dirfd(folder), row->d_name, error))
            return false;
        path_leave(gather, before);
    }
}

static bool folder_walk(struct gather *gather, uint32_t number, int descriptor, gather_entry *entry,
                        struct error *error)
{
    if (gather->depth == DEPTH_MAX)
        return error_set(error, ERROR_LIMIT, "folders more than %d deep", DEPTH_MAX);
    int own = fcntl(descriptor, F_DUPFD_CLOEXEC, 0);
    DIR *folder = own < 0 ? NULL : fdopendir(own);
    if (folder == NULL) {
        error_system(error, "read the folder");
        file_close(&own);
        return false;
    }
    gather->depth++;
    bool walked = entries_walk(gather, number, folder, entry, error);
    gather->depth--;
    closedir(folder);
    return walked;
}

bool gather_folder(struct tree *tree, const char *path, const char *name,
                   const struct gather_watch *watch, struct error *error)
{
    struct gather gather = { .tree = tree, .watch = watch, .root = path };
    AUTO_CLOSE int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t number;
    if (descriptor < 0)
        return error_system(error, "folder %s", error_quote(bytes_of_string(path)).text);
    if (!tree_add_preopened(tree, name, &number, error))
        return false;
    buffer_init(&gather.content, FILES_SIZE_MAX);
    bool copied =
        folder_walk(&gather, number, descriptor, copy_entry, error) || fail_here(&gather, error);
    buffer_done(&gather.content);
    return copied;
}

/* --- patterns --- */

/* Which pattern takes the present path; notes all that would. */
static bool is_wanted(struct gather *gather)
{
    struct bytes path = bytes_of(gather->path, gather->path_size);
    bool wanted = false;
    for (size_t i = 0; i < gather->pattern_count; i++) {
        if (!pattern_matches(bytes_of_string(gather->patterns[i]), path))
            continue;
        gather->was_matched[i] = true;
        wanted = true;
    }
    return wanted;
}

static bool is_reached(const struct gather *gather)
{
    struct bytes path = bytes_of(gather->path, gather->path_size);
    for (size_t i = 0; i < gather->pattern_count; i++)
        if (pattern_reaches(bytes_of_string(gather->patterns[i]), path))
            return true;
    return false;
}

/* The folder of the present path in the tree, made with those above it. */
static bool folder_of_path(struct gather *gather, uint32_t *folder, struct error *error)
{
    struct bytes rest = bytes_of(gather->path, gather->path_size);
    *folder = 0;
    for (;;) {
        size_t size = bytes_find(rest, '/');
        if (size == rest.size)
            return true;
        if (!tree_add_folder(gather->tree, *folder, bytes_part(rest, 0, size), 0, folder, error))
            return false;
        rest = bytes_part(rest, size + 1, rest.size);
    }
}

/* The file that a link leads to; *is_folder instead of one. */
static bool link_open(struct gather *gather, int *descriptor, struct error *error)
{
    char path[2 * PATH_MAX];
    AUTO_FREE char *real = NULL;
    size_t size = strlen(gather->real_root);
    if (snprintf(path, sizeof(path), "%s/%s", gather->real_root, gather->path) >= (int)sizeof(path))
        return error_set(error, ERROR_LIMIT, "too long a path");
    real = realpath(path, NULL);
    if (real == NULL)
        return error_system(error, "follow the link");
    bool is_inside = strncmp(real, gather->real_root, size) == 0 &&
                     (real[size] == '/' || strcmp(gather->real_root, "/") == 0);
    if (!is_inside)
        return error_set(error, ERROR_DENIED, "the link leads out of the project");
    return opens(AT_FDCWD, real, 0, descriptor, error);
}

static bool match_entry(struct gather *gather, uint32_t parent, int folder, const char *name,
                        struct error *error)
{
    AUTO_CLOSE int descriptor = -1;
    struct stat status;
    uint32_t number;
    (void)parent;
    if (fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) != 0)
        return error_system(error, "look at it");
    if (S_ISDIR(status.st_mode))
        return !is_reached(gather) || (opens(folder, name, O_DIRECTORY, &descriptor, error) &&
                                       folder_walk(gather, 0, descriptor, match_entry, error));
    if (!is_wanted(gather))
        return true;
    if (S_ISLNK(status.st_mode) ? !link_open(gather, &descriptor, error)
                                : !opens(folder, name, 0, &descriptor, error))
        return false;
    if (fstat(descriptor, &status) != 0)
        return error_system(error, "look at it");
    if (S_ISDIR(status.st_mode))
        return error_set(error, ERROR_INVALID, "a link to a folder can't be deployed");
    if (!S_ISREG(status.st_mode))
        return error_set(error, ERROR_INVALID, "only regular files can be deployed");
    return folder_of_path(gather, &number, error) &&
           add_file(gather, number, descriptor, name, &status, error);
}

static bool patterns_check(const struct gather *gather, struct error *error)
{
    if (gather->pattern_count > PATTERN_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "at most %d patterns", PATTERN_COUNT_MAX);
    for (size_t i = 0; i < gather->pattern_count; i++)
        if (!pattern_check(bytes_of_string(gather->patterns[i]), error))
            return false;
    return true;
}

static bool patterns_were_matched(const struct gather *gather, struct error *error)
{
    for (size_t i = 0; i < gather->pattern_count; i++)
        if (!gather->was_matched[i])
            return error_set(error, ERROR_INVALID, "pattern \"%s\" matches no file below %s%s",
                             error_quote(bytes_of_string(gather->patterns[i])).text, gather->root,
                             strchr(gather->patterns[i], '*') == NULL
                                 ? " (all files of a folder: \"folder/**\")"
                                 : "");
    return true;
}

bool gather_patterns(struct tree *tree, const char *path, const char *const *patterns, size_t count,
                     struct error *error)
{
    AUTO_FREE char *real = realpath(path, NULL);
    struct gather gather = {
        .tree = tree, .root = path, .real_root = real, .patterns = patterns, .pattern_count = count
    };
    AUTO_CLOSE int descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    uint32_t number;
    if (real == NULL || descriptor < 0)
        return error_system(error, "folder %s", error_quote(bytes_of_string(path)).text);
    if (!patterns_check(&gather, error) || !tree_add_preopened(tree, "/", &number, error))
        return false;
    buffer_init(&gather.content, FILES_SIZE_MAX);
    bool gathered =
        folder_walk(&gather, number, descriptor, match_entry, error) || fail_here(&gather, error);
    buffer_done(&gather.content);
    return gathered && patterns_were_matched(&gather, error);
}
