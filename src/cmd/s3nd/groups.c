/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/groups.h"
#include "base/log.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum {
    /* The node's own processes come first when the processor is short; a worker has 100. */
    NODE_WEIGHT = 500,
    OUTBOUND_MEMORY_MIB = 512,
    OUTBOUND_PIDS = 16
};

struct leaf_name {
    char text[24];
};

static struct leaf_name leaf_name_of(unsigned number)
{
    struct leaf_name name;
    snprintf(name.text, sizeof(name.text), "child-%u", number);
    return name;
}

static uint64_t machine_memory(void)
{
    long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
    return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

/* By default one worker may take what all may together, as estimated. */
static uint64_t worker_memory(const struct config *config)
{
    uint64_t mib = config->worker_group.memory_mib;
    if (mib == 0)
        mib = config->worker_memory_mib;
    return mib != 0 ? mib << 20 : machine_memory() / 2;
}

static struct cgroup_limits limits_of(const struct config *config, enum child_kind kind)
{
    const struct config_child *worker = &config->worker_group, *compiler = &config->compiler_group;
    switch (kind) {
    case CHILD_SERVER:
    case CHILD_KEEPER:
    case CHILD_COLLATERAL:
    case CHILD_TELEMETRY:
        return (struct cgroup_limits){ .cpu_weight = NODE_WEIGHT };
    case CHILD_COMPILER:
        return (struct cgroup_limits){ .memory_max = (uint64_t)compiler->memory_mib << 20,
                                       .pids_max = compiler->pids,
                                       .cpu_weight = compiler->weight };
    case CHILD_OUTBOUND:
        return (struct cgroup_limits){ .memory_max = (uint64_t)OUTBOUND_MEMORY_MIB << 20,
                                       .pids_max = OUTBOUND_PIDS,
                                       .cpu_weight = worker->weight };
    case CHILD_WORKER:
        return (struct cgroup_limits){ .memory_max = worker_memory(config),
                                       .pids_max = worker->pids,
                                       .cpu_weight = worker->weight };
    }
    return (struct cgroup_limits){ 0 };
}

static bool has_any(const struct cgroup_tree *tree)
{
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (tree->has[i])
            return true;
    }
    return false;
}

static void log_state(const struct cgroup_tree *tree, const char *why)
{
    char has[64] = "";
    for (unsigned i = 0; i < CGROUP_CONTROLLER_COUNT; i++) {
        if (cgroup_is_open(tree) && tree->has[i])
            snprintf(has + strlen(has), sizeof(has) - strlen(has), "%s%s",
                     has[0] == '\0' ? "" : " ", cgroup_controller_name((enum cgroup_controller)i));
    }
    log_line(LOG_LEVEL_INFO, "control groups", "limits", has[0] == '\0' ? "none" : has, "missing",
             why, NULL);
}

bool groups_open(struct groups *groups, const struct config *config, struct error *error)
{
    char folder[PATH_MAX];
    struct error why = { 0 };
    *groups = (struct groups){ .config = config };
    if (config->groups == CONFIG_GROUPS_OFF)
        return true;
    if (!cgroup_find_own(folder, &why) ||
        !cgroup_open(&groups->tree, &cgroup_files_system, folder, "s3n", &why)) {
        groups->tree = (struct cgroup_tree){ 0 };
    } else {
        error_set(&why, ERROR_UNAVAILABLE, "%s", groups->tree.missing);
        if (config->groups == CONFIG_GROUPS_REQUIRED ? !cgroup_has_all(&groups->tree)
                                                     : !has_any(&groups->tree))
            cgroup_close(&groups->tree);
    }
    if (config->groups == CONFIG_GROUPS_REQUIRED && !cgroup_is_open(&groups->tree))
        return error_set(error, ERROR_UNAVAILABLE, "cgroup.use = \"required\", but %s", why.text);
    log_state(&groups->tree, why.text);
    return true;
}

bool groups_begin(struct groups *groups, enum child_kind kind, unsigned *number, int *entrance,
                  struct error *error)
{
    struct error why;
    *number = 0;
    *entrance = -1;
    if (!cgroup_is_open(&groups->tree))
        return true;
    struct cgroup_limits limits = limits_of(groups->config, kind);
    if (cgroup_leaf_make(&groups->tree, leaf_name_of(++groups->last).text, &limits, entrance,
                         &why)) {
        *number = groups->last;
        return true;
    }
    if (groups->config->groups == CONFIG_GROUPS_REQUIRED) {
        *error = why;
        return false;
    }
    log_error(child_kind_name(kind), &why);
    return true;
}

bool groups_end(struct groups *groups, unsigned number)
{
    struct leaf_name name = leaf_name_of(number);
    if (number == 0 || !cgroup_is_open(&groups->tree))
        return false;
    bool ran_out = cgroup_leaf_oom_kills(&groups->tree, name.text) > 0;
    if (!cgroup_leaf_remove(&groups->tree, name.text) && groups->left_count < GROUPS_LEFT_MAX)
        groups->left[groups->left_count++] = number;
    return ran_out;
}

bool groups_sweep(struct groups *groups)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < groups->left_count; i++) {
        unsigned number = groups->left[i];
        if (!cgroup_leaf_remove(&groups->tree, leaf_name_of(number).text))
            groups->left[kept++] = number;
    }
    groups->left_count = kept;
    return kept == 0;
}

void groups_close(struct groups *groups)
{
    cgroup_close(&groups->tree);
}
