/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/carried.h"

#include "base/file.h"
#include "base/json.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define CARRIED_NAME "S3ND_CARRIED"

enum {
    CARRIED_SIZE_MAX = 1 << 20,
    KIND_COUNT_MAX = 32
};

static json_t *child_tree(const struct child *child)
{
    /* A deadline is of the monotonic clock, which goes on; -1: there is none. */
    bool is_endless = child->deadline_ns == UINT64_MAX;
    json_int_t deadline_ms = is_endless ? -1 : (json_int_t)(child->deadline_ns / 1000000);
    return json_pack("{s:s, s:i, s:I, s:I, s:b, s:I, s:I}", "kind", child_kind_name(child->kind),
                     "pid", (int)child->pid, "request", (json_int_t)child->request, "deadline_ms",
                     deadline_ms, "late", child->is_late, "group", (json_int_t)child->group, "user",
                     (json_int_t)child->user);
}

static json_t *groups_tree(const struct groups *groups)
{
    const struct cgroup_tree *tree = &groups->tree;
    json_t *has = json_array(), *on = json_array();
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        json_array_append_new(has, json_boolean(tree->has[i]));
        json_array_append_new(on, json_boolean(tree->switched_on[i]));
    }
    return json_pack("{s:s, s:s, s:o, s:o, s:I}", "parent", tree->parent, "folder", tree->folder,
                     "has", has, "switched_on", on, "last", (json_int_t)groups->last);
}

static json_t *carried_tree(const struct carried *carried)
{
    json_t *children = json_array(), *spares = json_array();
    for (unsigned i = 0; i < carried->spares.count; i++)
        json_array_append_new(spares,
                              json_pack("{s:i, s:i}", "pid", (int)carried->spares.list[i].pid,
                                        "socket", carried->spares.list[i].socket));
    for (unsigned i = 0; i < carried->children.count; i++)
        json_array_append_new(children, child_tree(&carried->children.list[i]));
    return json_pack("{s:i, s:i, s:i, s:i, s:i, s:i, s:i, s:o, s:o, s:o}", "listen",
                     carried->listen, "admin", carried->admin, "control", carried->control, "lock",
                     carried->lock, "event_register", carried->event_register, "server",
                     carried->server, "server_pid", (int)carried->server_pid, "children", children,
                     "groups", groups_tree(&carried->groups), "spares", spares);
}

static void keep_one(int descriptor, int flags)
{
    if (descriptor >= 0)
        (void)fcntl(descriptor, F_SETFD, flags);
}

static void keep_open(const struct carried *carried, int file, int flags)
{
    const int all[] = { carried->listen,
                        carried->admin,
                        carried->control,
                        carried->lock,
                        carried->event_register,
                        carried->server,
                        file };
    for (size_t i = 0; i < ARRAY_COUNT(all); i++)
        keep_one(all[i], flags);
    for (unsigned i = 0; i < carried->spares.count; i++)
        keep_one(carried->spares.list[i].socket, flags);
}

bool carried_exec(const struct carried *carried, const char *program, char *const *arguments,
                  struct error *error)
{
    AUTO_JSON json_t *tree = carried_tree(carried);
    AUTO_BUFFER struct buffer text;
    AUTO_CLOSE int file = memfd_create("carried", MFD_CLOEXEC);
    char number[16];
    buffer_init(&text, CARRIED_SIZE_MAX);
    if (tree == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for what is carried over");
    if (file < 0)
        return error_system(error, "memfd_create");
    if (!json_canonical(&text, tree, error) || !file_write_all(file, buffer_view(&text), error))
        return false;
    snprintf(number, sizeof(number), "%d", file);
    setenv(CARRIED_NAME, number, 1);
    keep_open(carried, file, 0);
    execv(program, arguments);
    error_system(error, "run %s", program);
    keep_open(carried, file, FD_CLOEXEC);
    unsetenv(CARRIED_NAME);
    return false;
}

static int number_of(const json_t *tree, const char *key)
{
    return (int)json_integer_value(json_object_get(tree, key));
}

/* Their numbers may be others in the program before. */
static bool kind_of_name(enum child_kind *kind, const char *name)
{
    for (unsigned i = 0; name != NULL && i < KIND_COUNT_MAX; i++) {
        *kind = (enum child_kind)i;
        if (name[0] != '\0' && strcmp(name, child_kind_name(*kind)) == 0)
            return true;
    }
    return false;
}

static bool child_of_tree(struct child *child, const json_t *tree)
{
    int64_t deadline = json_integer_value(json_object_get(tree, "deadline_ms"));
    *child = (struct child){
        .pid = (pid_t)number_of(tree, "pid"),
        .request = (uint32_t)json_integer_value(json_object_get(tree, "request")),
        .deadline_ns = deadline < 0 ? UINT64_MAX : (uint64_t)deadline * 1000000,
        .is_late = json_is_true(json_object_get(tree, "late")),
        .group = (unsigned)number_of(tree, "group"),
        .user = (unsigned)number_of(tree, "user"),
    };
    return child->pid > 0 &&
           kind_of_name(&child->kind, json_string_value(json_object_get(tree, "kind")));
}

static bool text_take(char target[PATH_MAX], const json_t *tree, const char *key)
{
    const char *text = json_string_value(json_object_get(tree, key));
    return text != NULL && snprintf(target, PATH_MAX, "%s", text) < PATH_MAX;
}

static bool groups_of_tree(struct groups *groups, const json_t *tree, const struct config *config)
{
    *groups = (struct groups){ .config = config, .last = (unsigned)number_of(tree, "last") };
    groups->tree.files = &cgroup_files_system;
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        groups->tree.has[i] = json_is_true(json_array_get(json_object_get(tree, "has"), i));
        groups->tree.switched_on[i] =
            json_is_true(json_array_get(json_object_get(tree, "switched_on"), i));
    }
    return text_take(groups->tree.parent, tree, "parent") &&
           text_take(groups->tree.folder, tree, "folder");
}

/* Absent where the program before knew none. */
static bool spares_of_tree(struct spares *spares, const json_t *tree)
{
    size_t count = json_array_size(tree);
    for (size_t i = 0; i < count && count <= SPARE_COUNT_MAX; i++) {
        const json_t *spare = json_array_get(tree, i);
        spares_add(spares,
                   (struct spare){ (pid_t)number_of(spare, "pid"), number_of(spare, "socket") });
    }
    return count <= SPARE_COUNT_MAX;
}

bool carried_take(struct carried *carried, const struct config *config, bool *is_there,
                  struct error *error)
{
    const char *number = getenv(CARRIED_NAME);
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *tree = NULL;
    buffer_init(&text, CARRIED_SIZE_MAX);
    *is_there = number != NULL;
    if (number == NULL)
        return true;
    AUTO_CLOSE int file = (int)strtol(number, NULL, 10);
    unsetenv(CARRIED_NAME);
    if (lseek(file, 0, SEEK_SET) != 0 || !file_read_descriptor(&text, file, error) ||
        !json_parse(&tree, buffer_view(&text), error))
        return error_set(error, ERROR_INTERNAL, "what was carried over can't be read");
    *carried = (struct carried){ .listen = number_of(tree, "listen"),
                                 .admin = number_of(tree, "admin"),
                                 .control = number_of(tree, "control"),
                                 .lock = number_of(tree, "lock"),
                                 .event_register = number_of(tree, "event_register"),
                                 .server = number_of(tree, "server"),
                                 .server_pid = (pid_t)number_of(tree, "server_pid") };
    const json_t *children = json_object_get(tree, "children");
    bool good = spares_of_tree(&carried->spares, json_object_get(tree, "spares")) &&
                json_array_size(children) <= CHILD_COUNT_MAX &&
                groups_of_tree(&carried->groups, json_object_get(tree, "groups"), config);
    for (size_t i = 0; good && i < json_array_size(children); i++) {
        struct child child;
        good = child_of_tree(&child, json_array_get(children, i)) &&
               children_add(&carried->children, &child);
    }
    keep_open(carried, -1, FD_CLOEXEC);
    return good || error_set(error, ERROR_INTERNAL, "what was carried over is not whole");
}
