/* SPDX-License-Identifier: Apache-2.0 */
/* What the API's handlers share: names out of calls, and applications and versions as JSON. */
#ifndef S3ND_API_TREES_H
#define S3ND_API_TREES_H

#include "cmd/s3nd/node.h"

struct name_text {
    char text[NAME_SIZE_MAX + 1];
};
/* The gateway checked that it is a name. */
struct name_text name_of(struct bytes name);

struct actor_text {
    char text[ACTOR_SIZE_MAX + 1];
};
/* Who asks, as struct change has it. */
struct actor_text actor_of(const struct gateway_call *call);

/* New objects; api/openapi.yaml has their forms: Application and Version. */
json_t *entry_tree(const struct registry_entry *entry);
/* `reports` (may be NULL): with them and the manifest. */
json_t *version_tree(const struct registry_entry *entry, const struct application *application,
                     const json_t *reports);
json_t *version_row_tree(const struct registry_entry *entry, const struct version_row *row);

/* An application of another owner is unknown to this one. */
const struct registry_entry *own_entry(struct node *node, const struct gateway_call *call,
                                       struct error *error);
void api_change_failed(struct node *node, const struct gateway_call *call,
                       const struct error *error);

#endif
