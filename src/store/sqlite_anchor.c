/* SPDX-License-Identifier: Apache-2.0 */
/* The store's head remembered elsewhere: begun after a commit, finished before the next one at the
 * latest.  So a commit waits for its own disk only, and at most `ahead_max` are not remembered.
 * Each says which head was remembered for certain when it was written: that is how a store is known
 * that was ahead when the machine stopped. */
#include "store/sqlite_store.h"

#include "base/secret.h"

#include <string.h>

static struct store_head head_of(const struct sqlite_store *sqlite,
                                 const struct freshness_head *head)
{
    return (struct store_head){ head->revision, freshness_mac(&sqlite->freshness, head) };
}

static bool head_equal(const struct store_head *a, const struct store_head *b)
{
    return a->revision == b->revision &&
           secret_equal(a->mac.bytes, b->mac.bytes, sizeof(a->mac.bytes));
}

static struct store_head head_now(const struct sqlite_store *sqlite)
{
    return head_of(sqlite, &sqlite->freshness.head);
}

static bool begin(struct sqlite_store *sqlite, struct error *error)
{
    struct store_head now = head_now(sqlite);
    struct store_heads heads = { now, now };
    if (!sqlite->anchor.begin(sqlite->anchor.context, &heads, error))
        return false;
    sqlite->begun = now;
    sqlite->has_begun = true;
    sqlite->ahead_of_begun = 0;
    return true;
}

/* After a failure it is not known what is remembered: it stays begun, and is tried again. */
static bool finish(struct sqlite_store *sqlite, struct error *error)
{
    if (!sqlite->has_begun)
        return true;
    if (!sqlite->anchor.finish(sqlite->anchor.context, error))
        return false;
    sqlite->remembered = sqlite->begun;
    sqlite->ahead = sqlite->ahead_of_begun;
    sqlite->has_begun = false;
    return true;
}

bool anchor_prepare(struct sqlite_store *sqlite, const struct freshness_head *head,
                    struct bytes *column, uint8_t memory[HEAD_LINKED_SIZE], struct error *error)
{
    struct writer writer = writer_into(memory, HEAD_LINKED_SIZE);
    struct store_head after = head_of(sqlite, head);
    write_bytes(&writer, BYTES_OF(after.mac.bytes));
    if (sqlite->is_anchored) {
        if (!finish(sqlite, error) || (sqlite->ahead >= sqlite->anchor.ahead_max &&
                                       (!begin(sqlite, error) || !finish(sqlite, error))))
            return error_within(error, "the store's anchor");
        struct store_heads heads = { sqlite->remembered, after };
        struct digest32 link = freshness_link(&sqlite->freshness, &heads);
        write_u64_le(&writer, heads.before.revision);
        write_bytes(&writer, BYTES_OF(heads.before.mac.bytes));
        write_bytes(&writer, BYTES_OF(link.bytes));
    }
    *column = writer_view(&writer);
    return true;
}

void anchor_committed(struct sqlite_store *sqlite)
{
    sqlite->ahead++;
    sqlite->ahead_of_begun++;
}

void sqlite_remember(struct store *store)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    struct error ignored; /* tried again before the next commit */
    if (sqlite->is_anchored && !sqlite->has_begun && sqlite->ahead > 0)
        (void)!begin(sqlite, &ignored);
}

bool sqlite_confirm(struct store *store, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    return !sqlite->is_anchored ||
           (finish(sqlite, error) &&
            (sqlite->ahead == 0 || (begin(sqlite, error) && finish(sqlite, error))));
}

bool anchor_is_ready(struct sqlite_store *sqlite)
{
    const struct store_anchor *anchor = &sqlite->anchor;
    if (!sqlite->is_anchored)
        return true;
    if (!sqlite->has_begun)
        return sqlite->ahead < anchor->ahead_max;
    return sqlite->ahead_of_begun < anchor->ahead_max && anchor->ready != NULL &&
           anchor->ready(anchor->context);
}

/* The head that was remembered, as the store says itself. */
static bool link_read(const struct sqlite_store *sqlite, struct bytes column,
                      struct store_heads *heads)
{
    struct reader reader = reader_of(column);
    struct digest32 link;
    read_into(&reader, heads->after.mac.bytes, sizeof(heads->after.mac.bytes));
    heads->after.revision = sqlite->freshness.head.revision;
    heads->before.revision = read_u64_le(&reader);
    read_into(&reader, heads->before.mac.bytes, sizeof(heads->before.mac.bytes));
    read_into(&reader, link.bytes, sizeof(link.bytes));
    if (!read_end(&reader))
        return false;
    struct digest32 expected = freshness_link(&sqlite->freshness, heads);
    return secret_equal(link.bytes, expected.bytes, sizeof(link.bytes));
}

bool anchor_check(struct sqlite_store *sqlite, struct bytes column, struct error *error)
{
    struct store_heads remembered, said;
    bool known, is_linked = link_read(sqlite, column, &said);
    if (column.size > HEAD_MAC_SIZE && !is_linked)
        return error_set(error, ERROR_CORRUPT, "what the store says of its anchor was changed");
    if (!sqlite->is_anchored)
        return true;
    if (!sqlite->anchor.read(sqlite->anchor.context, &remembered, &known, error))
        return error_within(error, "the store's anchor");
    struct store_head now = head_now(sqlite);
    bool is_same = known && head_equal(&now, &remembered.after);
    bool is_fresh = !known || is_same || head_equal(&now, &remembered.before) ||
                    (is_linked && head_equal(&said.before, &remembered.after));
    bool is_older = now.revision < remembered.after.revision;
    if (!is_fresh)
        return error_set(error, ERROR_CORRUPT,
                         "the store is another than the keeper remembers: %s, at revision %llu, "
                         "not %llu (s3n node accept takes it as it is, and tells of it)",
                         is_older ? "an older copy was put in its place"
                                  : "it was written without the keeper, by an older S3N maybe",
                         (unsigned long long)now.revision,
                         (unsigned long long)remembered.after.revision);
    if (known)
        sqlite->remembered = remembered.after;
    /* What comes next waits until this head is the one that is remembered. */
    sqlite->ahead = is_same ? 0 : sqlite->anchor.ahead_max;
    return true;
}
