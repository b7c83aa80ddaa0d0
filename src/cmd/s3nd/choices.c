/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/choices.h"
#include "base/log.h"
#include "base/spawn.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

struct number {
    char text[24];
};

static struct number number_of(uint64_t value)
{
    struct number number;
    snprintf(number.text, sizeof(number.text), "%llu", (unsigned long long)value);
    return number;
}

static const char *handover_name(const struct node *node)
{
    return node->handover.watches ? "watching" : "blocking";
}

static void choose_handover(struct node *node)
{
    const char *wanted = node->config->handover;
    bool is_forced = strcmp(wanted, "auto") != 0;
    node->handover = handover_measure();
    if (is_forced)
        node->handover.watches = strcmp(wanted, "watch") == 0;
    log_line(LOG_LEVEL_INFO, "hand-over to workers", "chosen", handover_name(node), "by",
             is_forced ? "configuration" : "measurement", "blocking_ns",
             number_of(node->handover.blocking_ns).text, "watching_ns",
             number_of(node->handover.watching_ns).text, NULL);
}

/* The supervisor measured, since workers must have the same. */
static bool choose_restoring(struct node *node, struct error *error)
{
    const struct restoring *chosen = &node->restoring;
    node->has_restoring = strcmp(node->config->backend, "process") == 0;
    if (!node->has_restoring)
        return true;
    if (!restoring_parse(&node->restoring, node->config->restoring, error))
        return false;
    log_line(LOG_LEVEL_INFO, "reset of memory", "way", restoring_way_name(chosen->way),
             "whole_pages", number_of(chosen->whole_pages).text, "kept_pages",
             number_of(chosen->kept_pages).text, "copy_ns", number_of(chosen->costs.copy_ns).text,
             "fault_ns", number_of(chosen->costs.fault_ns).text, "call_ns",
             number_of(chosen->costs.call_ns).text, "discard_ns",
             number_of(chosen->costs.discard_ns).text, NULL);
    return true;
}

static bool optimiser_is_installed(void)
{
    char path[PATH_MAX];
    struct error error;
    return spawn_sibling_path(path, sizeof(path), "s3n-optimise", &error);
}

bool choices_make(struct node *node, struct error *error)
{
    node->has_optimiser = node->config->uses_optimiser && optimiser_is_installed();
    choose_handover(node);
    return choose_restoring(node, error);
}

json_t *choices_json(const struct node *node)
{
    json_t *made = json_pack("{s:s}", "handover", handover_name(node));
    if (made != NULL && node->has_restoring)
        json_object_set_new(made, "reset",
                            json_pack("{s:s, s:I, s:I}", "way",
                                      restoring_way_name(node->restoring.way), "whole_pages",
                                      (json_int_t)node->restoring.whole_pages, "kept_pages",
                                      (json_int_t)node->restoring.kept_pages));
    return made;
}
