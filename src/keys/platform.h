/* SPDX-License-Identifier: Apache-2.0 */
/* A platform gives evidence: what the processor signs about this node.  One struct of functions per
 * provider; `sim` is the only one here so far, and proves nothing about hardware.
 *
 * Used inside the keeper.  The sim provider owns the development root's files in its folder. */
#ifndef KEYS_PLATFORM_H
#define KEYS_PLATFORM_H

#include "base/buffer.h"
#include "base/error.h"
#include "crypto/hash.h"
#include "keys/limits.h"

struct platform {
    const char *name;
    char node[KEYS_NODE_SIZE + 1]; /* id made of the platform's identity */
    void *context;
    /* Appends a quote over the report data. */
    bool (*evidence)(void *context, const struct digest64 *report_data, struct buffer *quote,
                     struct error *error);
    void (*close)(void *context);
};

/* Loads the development root from `folder`, making it at the first start. */
MUST_CHECK bool platform_open_sim(struct platform *platform, const char *folder,
                                  struct error *error);
void platform_close(struct platform *platform);

#endif
