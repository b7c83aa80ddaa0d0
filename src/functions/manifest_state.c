/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/manifest_state.h"

bool manifest_read_state(struct manifest_state *state, const struct manifest_table *root,
                         struct error *error)
{
    static const char *const keys[] = { "mib", "entries", NULL };
    struct manifest_table table;
    uint64_t mib = 0, entries = 0;
    *state = (struct manifest_state){ 0 };
    if (!manifest_get_table(root, "state", &table, error))
        return false;
    if (table.json == NULL)
        return true;
    if (!manifest_check_keys(&table, keys, error) ||
        !manifest_read_number(&table, "mib", MANIFEST_STATE_MIB_MAX, &mib, error) ||
        !manifest_read_number(&table, "entries", MANIFEST_STATE_ENTRIES_MAX, &entries, error))
        return false;
    *state = (struct manifest_state){ (unsigned)mib, (unsigned)entries };
    return true;
}

json_t *manifest_state_tree(const struct manifest_state *state)
{
    json_t *tree = state->mib == 0 && state->entries == 0 ? NULL : json_object();
    if (tree != NULL && state->mib != 0)
        json_object_set_new(tree, "mib", json_integer(state->mib));
    if (tree != NULL && state->entries != 0)
        json_object_set_new(tree, "entries", json_integer(state->entries));
    return tree;
}
