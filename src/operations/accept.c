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

/* Whether the keeper remembers what is there. */
static bool is_remembered(const char *path, const struct sealer *sealer,
                          const struct store_anchor *anchor)
{
    AUTO(store) struct store *store = NULL;
    struct error ignored;
    return store_open_anchored(&store, path, sealer, anchor, &ignored);
}

/* One entry in each owner's log. */
static bool owners_tell(const struct accept *accept, struct store *store, struct error *error)
{
    AUTO(audit) struct audit *audit = NULL;
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    const struct audit_event event = { .action = "stores-accepted",
                                       .object = "node",
                                       .detail = "though the keeper remembered others" };
    if (!audit_open(&audit, store, error))
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

static bool states_remember(const struct accept *accept, struct secret32 *key, struct error *error)
{
    AUTO(store) struct store *store = NULL;
    struct sealer sealer = sealing_local(key);
    struct store_anchor anchor = anchor_anew(accept->keeper, ANCHOR_STATES);
    return store_open_anchored(&store, accept->states, &sealer, &anchor, error) &&
           store_confirm(store, error);
}

bool accept_stores(const struct accept *accept, struct check *check, bool *accepted,
                   struct error *error)
{
    AUTO(store) struct store *store = NULL;
    AUTO_SECRET32 struct secret32 key = { 0 };
    struct sealer sealer = keeper_sealer(accept->keeper);
    struct store_anchor present = keeper_anchor(accept->keeper, ANCHOR_NODE);
    struct store_anchor anew = anchor_anew(accept->keeper, ANCHOR_NODE);
    struct store_anchor states = keeper_anchor(accept->keeper, ANCHOR_STATES);
    struct check_files files = { .store = accept->store, .states = accept->states };
    bool is_good = is_remembered(accept->store, &sealer, &present);
    check_files(check, &files, &sealer);
    if (check->counts.problems != 0)
        return error_set(error, ERROR_UNVERIFIED, "what is there is not good: %llu problems",
                         (unsigned long long)check->counts.problems);
    if (!store_open_anchored(&store, accept->store, &sealer, &anew, error))
        return false;
    bool has_states = access(accept->states, F_OK) == 0 && states_key_read(store, &key, error);
    if (has_states) {
        struct sealer states_sealer = sealing_local(&key);
        is_good = is_remembered(accept->states, &states_sealer, &states) && is_good;
    }
    *accepted = !is_good;
    if (is_good)
        return true;
    /* Told first: nothing is remembered that nobody was told of. */
    return keeper_append(accept->keeper, "policy", EVENT, error) &&
           owners_tell(accept, store, error) && store_confirm(store, error) &&
           (!has_states || states_remember(accept, &key, error));
}
