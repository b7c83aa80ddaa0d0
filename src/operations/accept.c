/* SPDX-License-Identifier: Apache-2.0 */
#include "operations/accept.h"

#include "core/hex.h"
#include "functions/audit.h"
#include "keys/sealing.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define HEADS_PREFIX "audit-heads/"
#define EVENT        "{\"change\":\"stores-accepted\"}"

static bool nothing_known(void *context UNUSED, struct store_heads *heads UNUSED, bool *known,
                          struct error *error UNUSED)
{
    *known = false;
    return true;
}

static struct store_anchor anchor_anew(struct keeper *keeper, enum anchor_store store)
{
    struct store_anchor anchor = keeper_anchor(keeper, store);
    anchor.read = nothing_known;
    return anchor;
}

/* What the keeper remembers does not open: its file was damaged. */
static bool is_lost(const struct store_anchor *anchor)
{
    struct store_heads heads;
    struct error error;
    bool known;
    return !anchor->read(anchor->context, &heads, &known, &error) && error.code == ERROR_CORRUPT;
}

/* An empty file is one that remembers nothing; the keeper looks again whenever it is asked. */
static bool forget(const struct accept *accept, struct error *error)
{
    return truncate(accept->anchor, 0) == 0 || error_system(error, "empty %s", accept->anchor);
}

/* Whether the keeper remembers what is there. */
static bool is_remembered(const char *path, const struct sealer *sealer,
                          const struct store_anchor *anchor)
{
    AUTO(store) struct store *store = NULL;
    struct error ignored;
    return store_open_anchored(&store, path, sealer, anchor, &ignored);
}

/* One entry in each owner's log, while the keeper remembers what it did. */
static bool owners_tell(const struct accept *accept, const struct sealer *sealer, bool lost,
                        struct error *error)
{
    AUTO(store) struct store *store = NULL;
    AUTO(audit) struct audit *audit = NULL;
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    const struct audit_event event = { .action = "stores-accepted",
                                       .object = "node",
                                       .detail = lost ? "though the keeper remembered nothing"
                                                      : "though the keeper remembered others" };
    if (!store_open_sqlite(&store, accept->store, sealer, error) ||
        !audit_open(&audit, store, error))
        return false;
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(store, (struct store_key){ STORE_SPACE_NODE, HEADS_PREFIX }, after,
                        STORE_LIST_MAX, &page, error))
            return false;
        for (size_t i = 0; i < page.count; i++) {
            struct change change = { .actor = "operator", .now_s = accept->now_s };
            const char *name = page.entries[i].key + strlen(HEADS_PREFIX);
            snprintf(after, sizeof(after), "%s", page.entries[i].key);
            if (!hex_decode(change.owner.bytes, sizeof(change.owner.bytes), bytes_of_string(name)))
                return error_set(error, ERROR_CORRUPT, "a log of nobody");
            if (!audit_write(audit, &change, &event, error))
                return false;
        }
        more = page.more;
    }
    return true;
}

static bool remember(const struct accept *accept, enum anchor_store which,
                     const struct sealer *sealer, struct error *error)
{
    AUTO(store) struct store *store = NULL;
    struct store_anchor anchor = anchor_anew(accept->keeper, which);
    const char *path = which == ANCHOR_NODE ? accept->store : accept->states;
    return store_open_anchored(&store, path, sealer, &anchor, error) && store_confirm(store, error);
}

/* *has_states false: there are none yet. */
static bool states_key(const struct accept *accept, const struct sealer *sealer,
                       struct secret32 *key, bool *has_states, struct error *error)
{
    AUTO(store) struct store *store = NULL;
    *has_states = false;
    if (access(accept->states, F_OK) != 0)
        return true;
    if (!store_open_sqlite(&store, accept->store, sealer, error))
        return false;
    *has_states = states_key_read(store, key, error);
    return *has_states || error->code == ERROR_NOT_FOUND;
}

bool accept_stores(const struct accept *accept, struct check *check, bool *accepted,
                   struct error *error)
{
    AUTO_SECRET32 struct secret32 key = { 0 };
    struct sealer sealer = keeper_sealer(accept->keeper), states_sealer = sealing_local(&key);
    struct store_anchor anchor = keeper_anchor(accept->keeper, ANCHOR_NODE);
    struct store_anchor states_anchor = keeper_anchor(accept->keeper, ANCHOR_STATES);
    struct check_files files = { .store = accept->store, .states = accept->states };
    bool has_states, lost = is_lost(&anchor);
    bool is_good = !lost && is_remembered(accept->store, &sealer, &anchor);
    check_files(check, &files, &sealer);
    if (check->counts.problems != 0)
        return error_set(error, ERROR_UNVERIFIED, "what is there is not good: %llu problems",
                         (unsigned long long)check->counts.problems);
    if (!states_key(accept, &sealer, &key, &has_states, error))
        return false;
    if (has_states && is_good)
        is_good = is_remembered(accept->states, &states_sealer, &states_anchor);
    *accepted = !is_good;
    if (is_good)
        return true;
    /* Told first: nothing is remembered that nobody was told of. */
    return keeper_append(accept->keeper, "policy", EVENT, error) &&
           owners_tell(accept, &sealer, lost, error) && (!lost || forget(accept, error)) &&
           remember(accept, ANCHOR_NODE, &sealer, error) &&
           (!has_states || remember(accept, ANCHOR_STATES, &states_sealer, error));
}
