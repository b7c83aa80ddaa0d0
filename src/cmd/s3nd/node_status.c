/* SPDX-License-Identifier: Apache-2.0 */
/* What the operator is told of the running node. */
#include "base/file.h"
#include "cmd/s3nd/node.h"

#include <fcntl.h>
#include <sys/vfs.h>

/* Of the file system with the stores, which is all that the jail shows. */
static int64_t free_bytes(void)
{
    struct statfs status;
    AUTO_CLOSE int folder = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0 || fstatfs(folder, &status) != 0)
        return -1;
    return (int64_t)(status.f_bavail * (uint64_t)status.f_bsize);
}

json_t *node_status_tree(struct node *node)
{
    json_t *problems = json_array();
    node_health_look(node);
    for (unsigned i = 0; i < NODE_CAUSE_COUNT; i++) {
        if (node_has_cause(node, (enum node_cause)i))
            json_array_append_new(problems, json_string(node_cause_text((enum node_cause)i)));
    }
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:o}", "version", S3N_VERSION, "node",
        node->info.node, "platform", node->info.platform, "listen", node->address.text, "backend",
        node->config->backend, "uptime_s", (json_int_t)node_uptime_s(node), "applications",
        (json_int_t)registry_count(node->registry), "server", (json_int_t)(node->number >> 12),
        "upgrades_failed", (json_int_t)node->upgrades_failed, "free_bytes",
        (json_int_t)free_bytes(), "problems", problems);
}
