/* SPDX-License-Identifier: Apache-2.0 */
/* Images that another version of the compiler made: compiled anew, in the background. */
#include "base/log.h"
#include "cmd/s3nd/node.h"

static void refresh_done(void *context, const struct deployment_result *result,
                         const struct error *error)
{
    struct node *node = context;
    if (result == NULL) {
        log_error("compile anew", error);
    } else {
        const char *name = result->application->manifest->application;
        log_line(LOG_LEVEL_INFO, "compiled anew", "application", name, NULL);
        node_serving_changed(node, name);
    }
    node_refresh(node);
}

/* One application after the other, so that deployments find room. */
void node_refresh(struct node *node)
{
    bool started = false;
    while (!started && node->refreshed / 2 < registry_count(node->registry)) {
        size_t index = node->refreshed / 2;
        const struct registry_entry *entry = registry_at(node->registry, index);
        struct application *application =
            node->refreshed++ % 2 == 0 ? entry->served : entry->canary;
        struct error error;
        if (application == NULL)
            continue;
        if (!deployment_refresh(node->deployer, application, refresh_done, node, &started,
                                &error)) {
            log_error("compile anew", &error);
            started = false;
        }
    }
}
