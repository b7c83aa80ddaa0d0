/* SPDX-License-Identifier: Apache-2.0 */
/* The store's head remembered elsewhere: begun before each commit, finished after it, so that both
 * reach their disks at the same time. */
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

bool anchor_begin(struct sqlite_store *sqlite, const struct freshness_head *head,
                  struct bytes *column, uint8_t memory[HEAD_LINKED_SIZE], struct error *error)
{
    struct store_heads heads = { head_of(sqlite, &sqlite->freshness.head), head_of(sqlite, head) };
    struct writer writer = writer_into(memory, HEAD_LINKED_SIZE);
    write_bytes(&writer, BYTES_OF(heads.after.mac.bytes));
    if (sqlite->is_anchored) {
        struct digest32 link = freshness_link(&sqlite->freshness, &heads);
        write_u64_le(&writer, heads.before.revision);
        write_bytes(&writer, BYTES_OF(heads.before.mac.bytes));
        write_bytes(&writer, BYTES_OF(link.bytes));
    }
    *column = writer_view(&writer);
    sqlite->heads = heads;
    sqlite->is_confirmed = false;
    return !sqlite->is_anchored ||
           sqlite->anchor.begin(sqlite->anchor.context, &sqlite->heads, error);
}

bool anchor_finish(struct sqlite_store *sqlite, bool has_committed, struct error *error)
{
    struct error ignored;
    if (!sqlite->is_anchored)
        return true;
    /* What was not committed may be remembered: the head before is accepted, too. */
    return sqlite->anchor.finish(sqlite->anchor.context, has_committed ? error : &ignored);
}

bool sqlite_confirm(struct store *store, struct error *error)
{
    struct sqlite_store *sqlite = (struct sqlite_store *)store;
    if (!sqlite->is_anchored || sqlite->is_confirmed)
        return true;
    struct store_head now = head_of(sqlite, &sqlite->freshness.head);
    struct store_heads heads = { now, now };
    sqlite->is_confirmed = sqlite->anchor.begin(sqlite->anchor.context, &heads, error) &&
                           sqlite->anchor.finish(sqlite->anchor.context, error);
    return sqlite->is_confirmed;
}

/* The head before, when the store says so itself. */
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
    bool known;
    if (!sqlite->is_anchored)
        return true;
    if (!sqlite->anchor.read(sqlite->anchor.context, &remembered, &known, error))
        return error_within(error, "the store's anchor");
    struct store_head now = head_of(sqlite, &sqlite->freshness.head);
    bool is_fresh =
        !known || head_equal(&now, &remembered.after) || head_equal(&now, &remembered.before) ||
        (link_read(sqlite, column, &said) && head_equal(&said.before, &remembered.after));
    return is_fresh || error_set(error, ERROR_CORRUPT,
                                 "the store is another than the keeper remembers: an older copy "
                                 "was put in its place, at revision %llu, not %llu",
                                 (unsigned long long)now.revision,
                                 (unsigned long long)remembered.after.revision);
}
