/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cgroup.h"

#include "base/file.h"
#include "base/spawn.h"
#include "tests/harness.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- a kernel of our own, with the rules of cgroup-v2.rst that matter here --- */

enum {
    GROUPS_MAX = 32
};

struct group {
    char path[128];
    bool is_there;
    bool subtree[CGROUP_CONTROLLER_COUNT]; /* switched on for its children */
    unsigned processes;
    bool has_us;
    char memory_max[24], swap_max[24], pids_max[24], cpu_weight[24];
};

static struct kernel {
    struct group groups[GROUPS_MAX];
    bool offered[CGROUP_CONTROLLER_COUNT]; /* to the first group */
    bool is_root;                          /* the first group may have processes and limits */
    bool counts_no_swap;
    int make_reason;                            /* makes fail so */
    int procs_reason;                           /* writes to cgroup.procs fail so */
    int switch_reason[CGROUP_CONTROLLER_COUNT]; /* switching on fails so */
    unsigned calls, failing_call;               /* this one fails with EIO; 0: none */
} kernel;

#define OWN "/groups/node.service"

static struct group *group_find(const char *path, size_t size)
{
    for (unsigned i = 0; i < GROUPS_MAX; i++) {
        struct group *group = &kernel.groups[i];
        if (group->is_there && strlen(group->path) == size && memcmp(group->path, path, size) == 0)
            return group;
    }
    return NULL;
}

static struct group *group_of_file(const char *path, const char **file)
{
    const char *slash = strrchr(path, '/');
    *file = slash + 1;
    return group_find(path, (size_t)(slash - path));
}

static struct group *group_parent(const struct group *group)
{
    const char *file;
    return group_of_file(group->path, &file);
}

static bool has_controller(const struct group *group, unsigned controller)
{
    const struct group *parent = group_parent(group);
    return parent == NULL ? kernel.offered[controller] : parent->subtree[controller];
}

static bool has_limits_below(const struct group *group)
{
    bool is_free = kernel.is_root && group_parent(group) == NULL;
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (group->subtree[i] && !is_free)
            return true;
    }
    return false;
}

static struct group *group_add(const char *path)
{
    for (unsigned i = 0; i < GROUPS_MAX; i++) {
        if (kernel.groups[i].is_there)
            continue;
        kernel.groups[i] = (struct group){ .is_there = true };
        snprintf(kernel.groups[i].path, sizeof(kernel.groups[i].path), "%s", path);
        return &kernel.groups[i];
    }
    return NULL;
}

static bool fails_now(void)
{
    return ++kernel.calls == kernel.failing_call;
}

static int model_make(const char *folder)
{
    const char *name;
    if (fails_now())
        return EIO;
    if (kernel.make_reason != 0)
        return kernel.make_reason;
    if (group_find(folder, strlen(folder)) != NULL)
        return EEXIST;
    if (group_of_file(folder, &name) == NULL)
        return ENOENT;
    return group_add(folder) != NULL ? 0 : EAGAIN;
}

static int model_remove(const char *folder)
{
    struct group *group = group_find(folder, strlen(folder));
    if (group == NULL)
        return ENOENT;
    for (unsigned i = 0; i < GROUPS_MAX; i++) {
        if (kernel.groups[i].is_there && group_parent(&kernel.groups[i]) == group)
            return EBUSY;
    }
    if (group->processes > 0 || group->has_us)
        return EBUSY;
    group->is_there = false;
    return 0;
}

static int switch_controller(struct group *group, const char *text)
{
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (strcmp(text + 1, cgroup_controller_name((enum cgroup_controller)i)) != 0)
            continue;
        bool is_free = kernel.is_root && group_parent(group) == NULL;
        if (text[0] == '+' && kernel.switch_reason[i] != 0)
            return kernel.switch_reason[i];
        if (!has_controller(group, i))
            return ENOENT;
        if (text[0] == '+' && (group->processes > 0 || group->has_us) && !is_free)
            return EBUSY;
        for (unsigned k = 0; text[0] == '-' && k < GROUPS_MAX; k++) {
            if (kernel.groups[k].is_there && group_parent(&kernel.groups[k]) == group &&
                kernel.groups[k].subtree[i])
                return EBUSY;
        }
        group->subtree[i] = text[0] == '+';
        return 0;
    }
    return EINVAL;
}

static int move_us(struct group *group)
{
    if (kernel.procs_reason != 0)
        return kernel.procs_reason;
    if (has_limits_below(group))
        return EBUSY;
    for (unsigned i = 0; i < GROUPS_MAX; i++)
        kernel.groups[i].has_us = false;
    group->has_us = true;
    return 0;
}

static int model_write(const char *path, const char *text)
{
    const char *file;
    struct group *group = group_of_file(path, &file);
    if (fails_now())
        return EIO;
    if (group == NULL)
        return ENOENT;
    if (strcmp(file, "cgroup.subtree_control") == 0)
        return switch_controller(group, text);
    if (strcmp(file, "cgroup.kill") == 0) {
        group->processes -= MIN(group->processes, 1u);
        return 0;
    }
    if (strcmp(file, "cgroup.procs") == 0)
        return move_us(group);
    const struct {
        const char *file;
        enum cgroup_controller controller;
        char *value;
        bool is_absent;
    } files[] = { { "memory.max", CGROUP_MEMORY, group->memory_max, false },
                  { "memory.swap.max", CGROUP_MEMORY, group->swap_max, kernel.counts_no_swap },
                  { "pids.max", CGROUP_PIDS, group->pids_max, false },
                  { "cpu.weight", CGROUP_CPU, group->cpu_weight, false } };
    for (size_t i = 0; i < ARRAY_COUNT(files); i++) {
        if (strcmp(file, files[i].file) != 0)
            continue;
        if (!has_controller(group, files[i].controller) || files[i].is_absent)
            return ENOENT;
        snprintf(files[i].value, sizeof(group->pids_max), "%s", text);
        return 0;
    }
    return ENOENT;
}

static int model_read(const char *path, char *text, size_t size)
{
    const char *file;
    struct group *group = group_of_file(path, &file);
    if (group == NULL)
        return ENOENT;
    text[0] = '\0';
    if (strcmp(file, "memory.events") == 0) {
        if (!has_controller(group, CGROUP_MEMORY))
            return ENOENT;
        snprintf(text, size, "low 0\nhigh 0\nmax 12\noom 3\noom_kill 2\noom_group_kill 0\n");
        return 0;
    }
    bool is_offer = strcmp(file, "cgroup.controllers") == 0;
    if (!is_offer && strcmp(file, "cgroup.subtree_control") != 0)
        return ENOENT;
    snprintf(text, size, "cpuset io");
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (is_offer ? has_controller(group, i) : group->subtree[i])
            snprintf(text + strlen(text), size - strlen(text), " %s",
                     cgroup_controller_name((enum cgroup_controller)i));
    }
    return 0;
}

static int model_open(const char *path, int *descriptor)
{
    const char *file;
    if (fails_now() || group_of_file(path, &file) == NULL)
        return EIO;
    *descriptor = open("/dev/null", O_WRONLY | O_CLOEXEC);
    return *descriptor >= 0 ? 0 : errno;
}

static int model_list(const char *folder, void (*found)(void *context, const char *name),
                      void *context)
{
    struct group *group = group_find(folder, strlen(folder));
    if (group == NULL)
        return ENOENT;
    for (unsigned i = 0; i < GROUPS_MAX; i++) {
        const char *name;
        if (kernel.groups[i].is_there && group_of_file(kernel.groups[i].path, &name) == group)
            found(context, name);
    }
    return 0;
}

static const struct cgroup_files model = { .make = model_make,
                                           .remove = model_remove,
                                           .write = model_write,
                                           .read = model_read,
                                           .open = model_open,
                                           .list = model_list };

static void kernel_begin(void)
{
    kernel = (struct kernel){ .offered = { true, true, true } };
    group_add(OWN)->has_us = true;
}

static unsigned group_count(void)
{
    unsigned count = 0;
    for (unsigned i = 0; i < GROUPS_MAX; i++)
        count += kernel.groups[i].is_there;
    return count;
}

static const struct group *leaf_of(const struct cgroup_tree *tree, const char *leaf)
{
    static const struct group none;
    char path[256];
    snprintf(path, sizeof(path), "%.120s/%s", tree->folder, leaf);
    const struct group *group = group_find(path, strlen(path));
    return group != NULL ? group : &none;
}

/* --- with it --- */

static const struct cgroup_limits limits = { .memory_max = 1 << 30,
                                             .pids_max = 512,
                                             .cpu_weight = 50 };

static void limits_a_child_and_leaves_no_trace(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree = { 0 };
    int entrance = -1;
    kernel_begin();
    CHECK(!cgroup_is_open(&tree) && !cgroup_has_all(&tree));
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    CHECK(cgroup_is_open(&tree) && cgroup_has_all(&tree));
    CHECK_STRING(tree.missing, "");
    CHECK(leaf_of(&tree, "self")->has_us);
    REQUIRE(cgroup_leaf_make(&tree, "worker-1", &limits, &entrance, &error));
    CHECK(close(entrance) == 0);
    const struct group *leaf = leaf_of(&tree, "worker-1");
    CHECK_STRING(leaf->memory_max, "1073741824");
    CHECK_STRING(leaf->swap_max, "0");
    CHECK_STRING(leaf->pids_max, "512");
    CHECK_STRING(leaf->cpu_weight, "50");
    CHECK_NUMBER(cgroup_leaf_oom_kills(&tree, "worker-1"), 2);
    CHECK_NUMBER(cgroup_leaf_oom_kills(&tree, "worker-2"), 0);
    kernel.groups[3].processes = 2; /* of which one ends at once */
    CHECK(!cgroup_leaf_remove(&tree, "worker-1"));
    CHECK(cgroup_leaf_remove(&tree, "worker-1"));
    CHECK(cgroup_leaf_remove(&tree, "worker-1")); /* is gone: as wanted */
    cgroup_close(&tree);
    CHECK(!cgroup_is_open(&tree));
    CHECK_NUMBER(group_count(), 1);
    CHECK(kernel.groups[0].has_us && !kernel.groups[0].subtree[CGROUP_MEMORY]);
    cgroup_close(&tree);
}

static void looking_changes_nothing(void)
{
    struct error error = { 0 };
    struct cgroup_view view;
    kernel_begin();
    kernel.offered[CGROUP_CPU] = false;
    REQUIRE(cgroup_look(&view, &model, OWN, &error));
    CHECK(view.is_writable && view.offers[CGROUP_MEMORY] && view.offers[CGROUP_PIDS]);
    CHECK(!view.offers[CGROUP_CPU]);
    kernel.failing_call = kernel.calls + 1;
    REQUIRE(cgroup_look(&view, &model, OWN, &error));
    CHECK(!view.is_writable);
    CHECK(!cgroup_look(&view, &model, "/groups", &error));
    CHECK(group_count() == 1 && kernel.groups[0].has_us);
}

static void a_limit_of_zero_is_none(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    int entrance = -1;
    kernel_begin();
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    REQUIRE(cgroup_leaf_make(&tree, "server", &(struct cgroup_limits){ 0 }, &entrance, &error));
    close(entrance);
    CHECK_STRING(leaf_of(&tree, "server")->memory_max, "");
    CHECK_STRING(leaf_of(&tree, "server")->cpu_weight, "");
    cgroup_close(&tree);
    CHECK_NUMBER(group_count(), 1);
}

static void what_is_missing_is_named(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    int entrance = -1;
    kernel_begin();
    kernel.offered[CGROUP_MEMORY] = false;
    kernel.switch_reason[CGROUP_CPU] = EACCES;
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    CHECK(!cgroup_has_all(&tree) && tree.has[CGROUP_PIDS] && !tree.has[CGROUP_MEMORY]);
    CHECK_STRING(tree.missing, "memory (not given to this group), cpu (not this user's to give)");
    REQUIRE(cgroup_leaf_make(&tree, "worker-1", &limits, &entrance, &error));
    close(entrance);
    CHECK_STRING(leaf_of(&tree, "worker-1")->pids_max, "512");
    CHECK_STRING(leaf_of(&tree, "worker-1")->memory_max, "");
    CHECK_NUMBER(cgroup_leaf_oom_kills(&tree, "worker-1"), 0);
    cgroup_close(&tree);
    CHECK_NUMBER(group_count(), 1);
}

/* A shell's session, say: then nothing can be limited, but in the root group. */
static void others_in_the_group_are_in_the_way(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    kernel_begin();
    kernel.groups[0].processes = 3;
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    CHECK(!tree.has[CGROUP_MEMORY] && !tree.has[CGROUP_PIDS] && !tree.has[CGROUP_CPU]);
    CHECK(strstr(tree.missing, "memory (other processes are in this group)") != NULL);
    cgroup_close(&tree);
    CHECK(group_count() == 1 && kernel.groups[0].has_us);
    kernel.is_root = true;
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    CHECK(cgroup_has_all(&tree));
    cgroup_close(&tree);
    CHECK(group_count() == 1 && kernel.groups[0].has_us);
}

static void refusals_change_nothing(void)
{
    static const struct {
        int make, procs;
        enum error_code code;
    } cases[] = { { EACCES, 0, ERROR_DENIED },     { EPERM, 0, ERROR_DENIED },
                  { EROFS, 0, ERROR_UNSUPPORTED }, { EAGAIN, 0, ERROR_UNSUPPORTED },
                  { 0, EACCES, ERROR_DENIED },     { 0, EBUSY, ERROR_UNSUPPORTED } };
    struct error error = { 0 };
    struct cgroup_tree tree = { 0 };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        kernel_begin();
        kernel.make_reason = cases[i].make;
        kernel.procs_reason = cases[i].procs;
        CHECK(!cgroup_open(&tree, &model, OWN, "s3n", &error) && error.code == cases[i].code);
        CHECK(group_count() == 1 && kernel.groups[0].has_us && !cgroup_is_open(&tree));
    }
    CHECK(!cgroup_open(&tree, &model, "/groups/none", "s3n", &error));
    CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
}

/* It is an error or something is missing, and nothing stays behind. */
static void every_call_may_fail(void)
{
    struct error error = { 0 };
    for (unsigned failing = 1; failing < 30; failing++) {
        struct cgroup_tree tree = { 0 };
        int entrance = -1;
        kernel_begin();
        kernel.failing_call = failing;
        if (!cgroup_open(&tree, &model, OWN, "s3n", &error)) {
            CHECK_NUMBER(group_count(), 1);
            continue;
        }
        if (cgroup_leaf_make(&tree, "worker-1", &limits, &entrance, &error))
            close(entrance);
        else
            CHECK(!leaf_of(&tree, "worker-1")->is_there);
        kernel.failing_call = 0;
        cgroup_close(&tree);
        CHECK_NUMBER(group_count(), 1);
    }
}

static void a_leaf_that_is_there(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    int entrance = -1;
    kernel_begin();
    kernel.counts_no_swap = true;
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    REQUIRE(cgroup_leaf_make(&tree, "worker-1", &limits, &entrance, &error));
    close(entrance);
    REQUIRE(cgroup_leaf_make(&tree, "worker-1", &limits, &entrance, &error));
    close(entrance);
    kernel.groups[3].processes = 1;
    CHECK(!cgroup_leaf_make(&tree, "worker-1", &limits, &entrance, &error));
    CHECK_STRING(kernel.groups[3].pids_max, "512");
    kernel.groups[3].processes = 0;
    cgroup_close(&tree);
    CHECK_NUMBER(group_count(), 1);
}

static void groups_of_dead_nodes_go(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    char alive[128];
    kernel_begin();
    snprintf(alive, sizeof(alive), OWN "/s3n-%d", (int)getppid());
    group_add(alive);
    group_add(OWN "/s3n-2147483646");
    group_add(OWN "/s3n-2147483646/self");
    group_add(OWN "/s3n-2147483645");
    group_add(OWN "/s3n-2147483645/worker-1")->processes = 1;
    group_add(OWN "/s3nd-2147483646");
    group_add(OWN "/s3n-x");
    REQUIRE(cgroup_open(&tree, &model, OWN, "s3n", &error));
    CHECK(group_find(alive, strlen(alive)) != NULL);
    CHECK(group_find(OWN "/s3n-2147483646", strlen(OWN) + 15) == NULL);
    CHECK(group_find(OWN "/s3n-2147483645", strlen(OWN) + 15) != NULL);
    CHECK(group_find(OWN "/s3nd-2147483646", strlen(OWN) + 16) != NULL);
    CHECK(group_find(OWN "/s3n-x", strlen(OWN) + 6) != NULL);
    cgroup_close(&tree);
}

/* --- where a process is --- */

#define MOUNT_V2(root, point)                                                                      \
    "22 1 0:21 / /proc rw - proc proc rw\n"                                                        \
    "26 24 0:23 " root " " point " rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNT_V1 "27 25 0:24 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"

static void finds_where_it_is(void)
{
    static const struct {
        const char *groups, *mounts, *folder; /* NULL: none */
    } cases[] = {
        { "0::/system.slice/s3nd.service\n", MOUNT_V2("/", "/sys/fs/cgroup"),
          "/sys/fs/cgroup/system.slice/s3nd.service" },
        { "0::/\n", MOUNT_V2("/", "/sys/fs/cgroup"), "/sys/fs/cgroup" },
        { "4:memory:/a\n1:name=systemd:/b\n0::/c\n",
          MOUNT_V1 MOUNT_V2("/", "/sys/fs/cgroup/unified"), "/sys/fs/cgroup/unified/c" },
        { "0::/docker/12ab\n", MOUNT_V2("/docker/12ab", "/sys/fs/cgroup"), "/sys/fs/cgroup" },
        { "0::/docker/12ab/x\n", MOUNT_V2("/docker/12ab", "/sys/fs/cgroup"), "/sys/fs/cgroup/x" },
        { "0::/docker/12abc\n", MOUNT_V2("/docker/12ab", "/sys/fs/cgroup"), NULL },
        { "0::/../x\n", MOUNT_V2("/", "/sys/fs/cgroup"), NULL },
        { "0::/a\n", MOUNT_V2("/", "/my\\040groups"), "/my groups/a" },
        { "0::/a\n", MOUNT_V1, NULL },
        { "4:memory:/a\n", MOUNT_V2("/", "/sys/fs/cgroup"), NULL },
        { "0::/a\n", "", NULL },
        { "", "", NULL },
        { "0::/a\n", "26 24 0:23 - cgroup2", NULL },
    };
    char folder[PATH_MAX];
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        struct error error = { 0 };
        bool found = cgroup_find(folder, cases[i].groups, cases[i].mounts, &error);
        CHECK_NOTE(found == (cases[i].folder != NULL), "case %zu: %s", i, error.text);
        if (found && cases[i].folder != NULL)
            CHECK_STRING(folder, cases[i].folder);
        else
            CHECK_NUMBER(error.code, ERROR_UNSUPPORTED);
    }
}

/* --- the real thing, as far as it is here --- */

static void a_child_starts_in_its_group(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    char folder[PATH_MAX], text[256];
    int entrance = -1, ends[2];
    if (!cgroup_find_own(folder, &error) ||
        !cgroup_open(&tree, &cgroup_files_system, folder, "s3n-test", &error))
        SKIP("%s", error.text);
    REQUIRE(cgroup_leaf_make(&tree, "child-1", &limits, &entrance, &error));
    REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
    static const char *const arguments[] = { "cat", "/proc/self/cgroup", NULL };
    struct spawn_options options = { .path = "/bin/cat",
                                     .arguments = arguments,
                                     .descriptors = { { ends[1], 1 } },
                                     .descriptor_count = 1,
                                     .has_group = true,
                                     .group = entrance };
    pid_t pid = 0;
    struct spawn_end end;
    bool started = spawn(&pid, &options, &error);
    CHECK_NOTE(started, "%s", error.text);
    close(ends[1]);
    close(entrance);
    if (started) {
        AUTO_BUFFER struct buffer seen;
        buffer_init(&seen, 8192);
        CHECK(file_read_descriptor(&seen, ends[0], &error));
        buffer_append(&seen, bytes_of("", 1));
        snprintf(text, sizeof(text), "/s3n-test-%d/child-1\n", (int)getpid());
        CHECK(strstr((const char *)seen.data, text) != NULL);
        CHECK(spawn_wait(&end, pid, TEST_PATIENCE_MS, &error) && !end.was_killed && end.code == 0);
    }
    close(ends[0]);
    CHECK(cgroup_leaf_remove(&tree, "child-1"));
    cgroup_close(&tree);
    snprintf(text, sizeof(text), "%.160s/s3n-test-%d", folder, (int)getpid());
    CHECK(access(text, F_OK) != 0);
}

/* Only where memory can be limited: who takes too much is ended, and that is told. */
static void the_kernel_holds_a_child_to_its_memory(void)
{
    struct error error = { 0 };
    struct cgroup_tree tree;
    char folder[PATH_MAX];
    int entrance = -1;
    const struct cgroup_limits small = { .memory_max = 16 << 20, .pids_max = 8 };
    if (!cgroup_find_own(folder, &error) ||
        !cgroup_open(&tree, &cgroup_files_system, folder, "s3n-test", &error))
        SKIP("%s", error.text);
    if (!tree.has[CGROUP_MEMORY] || !tree.has[CGROUP_PIDS]) {
        char missing[sizeof(tree.missing)];
        memcpy(missing, tree.missing, sizeof(missing));
        cgroup_close(&tree);
        SKIP("%s", missing);
    }
    REQUIRE(cgroup_leaf_make(&tree, "child-1", &small, &entrance, &error));
    static const char *const tail[] = { "sh", "-c", "head -c 64000000 /dev/zero | tail", NULL };
    struct spawn_options options = {
        .path = "/bin/sh", .arguments = tail, .has_group = true, .group = entrance
    };
    pid_t pid = 0;
    struct spawn_end end;
    CHECK(spawn(&pid, &options, &error) && spawn_wait(&end, pid, TEST_PATIENCE_MS, &error));
    close(entrance);
    CHECK(end.was_killed || end.code != 0);
    CHECK(cgroup_leaf_oom_kills(&tree, "child-1") > 0);
    AWAIT(cgroup_leaf_remove(&tree, "child-1"));
    cgroup_close(&tree);
}

static const struct test tests[] = {
    TEST(limits_a_child_and_leaves_no_trace),
    TEST(looking_changes_nothing),
    TEST(a_limit_of_zero_is_none),
    TEST(what_is_missing_is_named),
    TEST(others_in_the_group_are_in_the_way),
    TEST(refusals_change_nothing),
    TEST(every_call_may_fail),
    TEST(a_leaf_that_is_there),
    TEST(groups_of_dead_nodes_go),
    TEST(finds_where_it_is),
    TEST(a_child_starts_in_its_group),
    TEST(the_kernel_holds_a_child_to_its_memory),
};
TEST_MAIN(tests)
