/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cgroup.h"

#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum {
    LEAF_SIZE_MAX = 64,
    CLOSE_TRIES = 100,
    STALE_COUNT_MAX = 64, /* groups of dead processes looked at */
    PROC_TEXT_SIZE_MAX = 256 << 10
};

static const char *const controller_names[] = {
    [CGROUP_MEMORY] = "memory", [CGROUP_PIDS] = "pids", [CGROUP_CPU] = "cpu"
};

const char *cgroup_controller_name(enum cgroup_controller controller)
{
    return controller_names[controller];
}

/* --- the kernel's files --- */

static int system_make(const char *folder)
{
    return mkdir(folder, 0755) == 0 ? 0 : errno;
}

static int system_remove(const char *folder)
{
    return rmdir(folder) == 0 ? 0 : errno;
}

static int system_open(const char *path, int *descriptor)
{
    *descriptor = open(path, O_WRONLY | O_CLOEXEC);
    return *descriptor >= 0 ? 0 : errno;
}

static int system_write(const char *path, const char *text)
{
    AUTO_CLOSE int descriptor = -1;
    int failed = system_open(path, &descriptor);
    if (failed != 0)
        return failed;
    return write(descriptor, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : errno;
}

static int system_read(const char *path, char *text, size_t size)
{
    AUTO_CLOSE int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t got = descriptor < 0 ? -1 : read(descriptor, text, size - 1);
    if (got < 0)
        return errno;
    text[got] = '\0';
    return 0;
}

static int system_list(const char *folder, void (*found)(void *context, const char *name),
                       void *context)
{
    DIR *directory = opendir(folder);
    const struct dirent *entry;
    if (directory == NULL)
        return errno;
    while ((entry = readdir(directory)) != NULL) {
        if (entry->d_type == DT_DIR && entry->d_name[0] != '.')
            found(context, entry->d_name);
    }
    closedir(directory);
    return 0;
}

const struct cgroup_files cgroup_files_system = { .make = system_make,
                                                  .remove = system_remove,
                                                  .write = system_write,
                                                  .read = system_read,
                                                  .open = system_open,
                                                  .list = system_list };

/* --- where this process is --- */

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static bool field_take(char *target, const char *from, size_t length)
{
    size_t used = 0;
    for (size_t i = 0; i < length; i++) {
        char character = from[i];
        if (character == '\\' && i + 3 < length) {
            character =
                (char)((from[i + 1] - '0') << 6 | (from[i + 2] - '0') << 3 | (from[i + 3] - '0'));
            i += 3;
        }
        if (used + 1 >= PATH_MAX)
            return false;
        target[used++] = character;
    }
    target[used] = '\0';
    return true;
}

static const char *field_skip(const char *at, unsigned count)
{
    while (count-- > 0) {
        at += strcspn(at, " \n");
        at += *at == ' ';
    }
    return at;
}

/* "36 35 98:0 /root /point rw,noatime tags... - type source options" */
static bool mount_find(const char *mounts, char root[PATH_MAX], char point[PATH_MAX])
{
    for (const char *line = mounts; *line != '\0';) {
        const char *end = line + strcspn(line, "\n");
        const char *dash = strstr(line, " - ");
        if (dash != NULL && dash < end && strncmp(dash + 3, "cgroup2 ", 8) == 0) {
            const char *from = field_skip(line, 3), *to = field_skip(line, 4);
            return field_take(root, from, strcspn(from, " ")) &&
                   field_take(point, to, strcspn(to, " "));
        }
        line = *end == '\0' ? end : end + 1;
    }
    return false;
}

bool cgroup_find(char folder[PATH_MAX], const char *groups, const char *mounts, struct error *error)
{
    static const char prefix[] = "0::";
    char root[PATH_MAX], point[PATH_MAX], own[PATH_MAX];
    const char *line = groups;
    while (line != NULL && strncmp(line, prefix, strlen(prefix)) != 0) {
        line = strchr(line, '\n');
        line = line == NULL ? NULL : line + 1;
    }
    if (line == NULL || !mount_find(mounts, root, point))
        return error_set(error, ERROR_UNSUPPORTED, "control groups of version 2 are not mounted");
    line += strlen(prefix);
    size_t length = strcspn(line, "\n"), skipped = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (length >= sizeof(own))
        return error_set(error, ERROR_UNSUPPORTED, "the name of this control group is too long");
    memcpy(own, line, length);
    own[length] = '\0';
    /* What is mounted may be a part of all groups; "/.." is outside of what this process sees. */
    if (strncmp(own, root, skipped) != 0 || (own[skipped] != '/' && own[skipped] != '\0') ||
        strncmp(own, "/..", 3) == 0)
        return error_set(error, ERROR_UNSUPPORTED, "this process's control group is not in sight");
    int size = snprintf(folder, PATH_MAX, "%s%s", point, own + skipped);
    if (size >= PATH_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "the name of this control group is too long");
    if (size > 1 && folder[size - 1] == '/')
        folder[size - 1] = '\0';
    return true;
}

static bool proc_read(struct buffer *text, const char *path, struct error *error)
{
    buffer_init(text, PROC_TEXT_SIZE_MAX);
    if (!file_read(text, path, error))
        return false;
    buffer_append(text, bytes_of("", 1));
    return !text->failed || error_set(error, ERROR_LIMIT, "%s is too long", path);
}

bool cgroup_find_own(char folder[PATH_MAX], struct error *error)
{
    AUTO_BUFFER struct buffer groups = { 0 };
    AUTO_BUFFER struct buffer mounts = { 0 };
    return proc_read(&groups, "/proc/self/cgroup", error) &&
           proc_read(&mounts, "/proc/self/mountinfo", error) &&
           cgroup_find(folder, (const char *)groups.data, (const char *)mounts.data, error);
}

/* --- the tree --- */

struct path {
    char text[PATH_MAX + LEAF_SIZE_MAX + 32];
};

static struct path path_of(const char *folder, const char *leaf, const char *file)
{
    struct path path;
    snprintf(path.text, sizeof(path.text), "%s%s%s%s%s", folder, *leaf == '\0' ? "" : "/", leaf,
             *file == '\0' ? "" : "/", file);
    return path;
}

static int leaf_write(const struct cgroup_tree *tree, const char *leaf, const char *file,
                      const char *text)
{
    return tree->files->write(path_of(tree->folder, leaf, file).text, text);
}

static int controller_switch(const struct cgroup_tree *tree, const char *folder, unsigned number,
                             char sign)
{
    char text[16];
    snprintf(text, sizeof(text), "%c%s", sign, controller_names[number]);
    return tree->files->write(path_of(folder, "", "cgroup.subtree_control").text, text);
}

static bool has_word(const char *words, const char *word)
{
    size_t size = strlen(word);
    for (const char *at = words; *at != '\0'; at += strspn(at, " \n")) {
        size_t length = strcspn(at, " \n");
        if (length == size && memcmp(at, word, size) == 0)
            return true;
        at += length;
    }
    return false;
}

static void missing_add(struct cgroup_tree *tree, unsigned number, int reason)
{
    size_t used = strlen(tree->missing);
    snprintf(tree->missing + used, sizeof(tree->missing) - used, "%s%s (%s)", used == 0 ? "" : ", ",
             controller_names[number],
             reason == 0        ? "not given to this group"
             : reason == EBUSY  ? "other processes are in this group"
             : reason == ENOENT ? "not given to this group"
             : reason == EACCES ? "not this user's to give"
                                : strerror(reason));
}

static void controllers_switch_on(struct cgroup_tree *tree)
{
    char offered[512] = "", before[512] = "";
    int unread = tree->files->read(path_of(tree->parent, "", "cgroup.controllers").text, offered,
                                   sizeof(offered));
    if (tree->files->read(path_of(tree->parent, "", "cgroup.subtree_control").text, before,
                          sizeof(before)) != 0)
        before[0] = '\0';
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        int reason = unread;
        if (reason == 0 && has_word(offered, controller_names[i])) {
            reason = controller_switch(tree, tree->parent, i, '+');
            tree->switched_on[i] = reason == 0 && !has_word(before, controller_names[i]);
            if (reason == 0)
                reason = controller_switch(tree, tree->folder, i, '+');
            tree->has[i] = reason == 0;
        }
        if (!tree->has[i])
            missing_add(tree, i, reason);
    }
}

/* Groups of our name whose process is gone: of a node that was killed. */
struct stale {
    const char *name;
    char names[STALE_COUNT_MAX][LEAF_SIZE_MAX];
    unsigned count;
};

static void stale_note(void *context, const char *name)
{
    struct stale *stale = context;
    size_t size = strlen(stale->name);
    char *end = NULL;
    if (strncmp(name, stale->name, size) != 0 || name[size] != '-' ||
        strlen(name) >= LEAF_SIZE_MAX || stale->count == STALE_COUNT_MAX)
        return;
    long pid = strtol(name + size + 1, &end, 10);
    if (*end == '\0' && pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        memcpy(stale->names[stale->count++], name, strlen(name) + 1);
}

struct removal {
    const struct cgroup_files *files;
    const char *folder;
    unsigned left; /* in use */
};

static void leaf_drop(void *context, const char *name)
{
    struct removal *removal = context;
    if (strlen(name) >= LEAF_SIZE_MAX || strcmp(name, "self") == 0 ||
        removal->files->remove(path_of(removal->folder, name, "").text) != 0)
        removal->left += strcmp(name, "self") != 0;
}

static void stale_remove(const struct cgroup_files *files, const char *folder, const char *name)
{
    struct stale stale = { .name = name };
    if (files->list(folder, stale_note, &stale) != 0)
        return;
    for (unsigned i = 0; i < stale.count; i++) {
        struct path path = path_of(folder, stale.names[i], "");
        struct removal removal = { files, path.text, 0 };
        /* The kernel refuses what is in use. */
        (void)files->list(path.text, leaf_drop, &removal);
        (void)files->remove(path_of(path.text, "self", "").text);
        (void)files->remove(path.text);
    }
}

static bool refused(struct error *error, int reason, const char *what)
{
    errno = reason;
    error_system(error, "%s", what);
    error->code = reason == EACCES || reason == EPERM ? ERROR_DENIED : ERROR_UNSUPPORTED;
    return false;
}

bool cgroup_open(struct cgroup_tree *tree, const struct cgroup_files *files, const char *folder,
                 const char *name, struct error *error)
{
    struct cgroup_tree made = { .files = files };
    char controllers[512];
    int parent = snprintf(made.parent, sizeof(made.parent), "%s", folder);
    int size = snprintf(made.folder, sizeof(made.folder), "%s/%s-%d", folder, name, (int)getpid());
    if (parent >= PATH_MAX || size >= PATH_MAX)
        return error_set(error, ERROR_UNSUPPORTED, "the name of the control group is too long");
    int reason = files->read(path_of(folder, "", "cgroup.controllers").text, controllers,
                             sizeof(controllers));
    if (reason != 0)
        return refused(error, reason, "no control group of version 2");
    stale_remove(files, folder, name);
    reason = files->make(made.folder);
    if (reason != 0)
        return refused(error, reason, "make a control group");
    struct path self = path_of(made.folder, "self", "");
    reason = files->make(self.text);
    if (reason == 0) {
        reason = leaf_write(&made, "self", "cgroup.procs", "0");
        if (reason != 0)
            (void)files->remove(self.text);
    }
    if (reason != 0) {
        (void)files->remove(made.folder);
        return refused(error, reason, "move to a control group");
    }
    controllers_switch_on(&made);
    *tree = made;
    return true;
}

void cgroup_close(struct cgroup_tree *tree)
{
    if (!cgroup_is_open(tree))
        return;
    const struct cgroup_files *files = tree->files;
    struct path self = path_of(tree->folder, "self", "");
    const struct timespec moment = { .tv_nsec = 5000000 };
    /* Children that were told to end a moment ago do so now. */
    for (unsigned i = 0; i < CLOSE_TRIES; i++) {
        struct removal removal = { files, tree->folder, 0 };
        if (files->list(tree->folder, leaf_drop, &removal) != 0 || removal.left == 0)
            break;
        nanosleep(&moment, NULL);
    }
    /* From the inside out: a group with limited ones below takes no process. */
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (tree->has[i])
            (void)controller_switch(tree, tree->folder, i, '-');
    }
    (void)leaf_write(tree, "", "cgroup.procs", "0");
    (void)files->remove(self.text);
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (tree->switched_on[i])
            (void)controller_switch(tree, tree->parent, i, '-');
    }
    (void)files->write(path_of(tree->parent, "", "cgroup.procs").text, "0");
    (void)files->remove(tree->folder);
    tree->folder[0] = '\0';
}

bool cgroup_look(struct cgroup_view *view, const struct cgroup_files *files, const char *folder,
                 struct error *error)
{
    char offered[512];
    int descriptor, reason = files->read(path_of(folder, "", "cgroup.controllers").text, offered,
                                         sizeof(offered));
    if (reason != 0)
        return refused(error, reason, "no control group of version 2");
    struct cgroup_view seen = { 0 };
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++)
        seen.offers[i] = has_word(offered, controller_names[i]);
    seen.is_writable =
        files->open(path_of(folder, "", "cgroup.subtree_control").text, &descriptor) == 0;
    if (seen.is_writable)
        file_close(&descriptor);
    *view = seen;
    return true;
}

bool cgroup_is_open(const struct cgroup_tree *tree)
{
    return tree->folder[0] != '\0';
}

bool cgroup_has_all(const struct cgroup_tree *tree)
{
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (!cgroup_is_open(tree) || !tree->has[i])
            return false;
    }
    return true;
}

/* --- leaves --- */

static int limit_write(const struct cgroup_tree *tree, const char *leaf,
                       enum cgroup_controller controller, const char *file, uint64_t value)
{
    char number[24];
    if (!tree->has[controller] || value == 0)
        return 0;
    snprintf(number, sizeof(number), "%llu", (unsigned long long)value);
    return leaf_write(tree, leaf, file, number);
}

static int limits_write(const struct cgroup_tree *tree, const char *leaf,
                        const struct cgroup_limits *limits)
{
    int reason = limit_write(tree, leaf, CGROUP_MEMORY, "memory.max", limits->memory_max);
    if (reason == 0 && tree->has[CGROUP_MEMORY] && limits->memory_max != 0) {
        /* What is swapped out would be memory on top, and plain on a disk.  Kernels that don't
         * count swap have no such file. */
        reason = leaf_write(tree, leaf, "memory.swap.max", "0");
        reason = reason == ENOENT ? 0 : reason;
    }
    if (reason == 0)
        reason = limit_write(tree, leaf, CGROUP_PIDS, "pids.max", limits->pids_max);
    if (reason == 0)
        reason = limit_write(tree, leaf, CGROUP_CPU, "cpu.weight", limits->cpu_weight);
    return reason;
}

bool cgroup_leaf_make(const struct cgroup_tree *tree, const char *leaf,
                      const struct cgroup_limits *limits, int *entrance, struct error *error)
{
    ASSERT(cgroup_is_open(tree) && strlen(leaf) < LEAF_SIZE_MAX);
    struct path folder = path_of(tree->folder, leaf, "");
    int descriptor = -1;
    int reason = tree->files->make(folder.text);
    if (reason == EEXIST) /* of an earlier child of this name, which had not ended altogether */
        reason = tree->files->remove(folder.text) != 0 ? EBUSY : tree->files->make(folder.text);
    if (reason != 0)
        return refused(error, reason, "make a control group");
    reason = limits_write(tree, leaf, limits);
    if (reason == 0)
        reason = tree->files->open(path_of(tree->folder, leaf, "cgroup.procs").text, &descriptor);
    if (reason != 0) {
        (void)tree->files->remove(folder.text);
        return refused(error, reason, "limit a control group");
    }
    *entrance = descriptor;
    return true;
}

bool cgroup_leaf_remove(const struct cgroup_tree *tree, const char *leaf)
{
    struct path folder = path_of(tree->folder, leaf, "");
    int reason = tree->files->remove(folder.text);
    if (reason == EBUSY && leaf_write(tree, leaf, "cgroup.kill", "1") == 0)
        reason = tree->files->remove(folder.text);
    return reason == 0 || reason == ENOENT;
}

uint64_t cgroup_leaf_oom_kills(const struct cgroup_tree *tree, const char *leaf)
{
    static const char word[] = "\noom_kill ";
    char text[512] = "\n";
    if (tree->files->read(path_of(tree->folder, leaf, "memory.events").text, text + 1,
                          sizeof(text) - 1) != 0)
        return 0;
    const char *at = strstr(text, word);
    return at == NULL ? 0 : strtoull(at + strlen(word), NULL, 10);
}
