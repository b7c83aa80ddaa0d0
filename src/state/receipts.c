/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts of the last commits: a ring of records that stand for good and are written over, so that
 * a commit touches as few pages of the store as it can.  Records for the next ones are made ready
 * while nothing comes.
 *
 * Record: key "#" and the place in the ring as four digits, hexadecimal; value u8 version, u8 size
 * of the id, u32 size of the text, the id, the text, zeros up to a multiple of RECORD_PIECE; of one
 * that is ready only zeros behind the sizes.  Before there was a ring the key was the id and the
 * value the text; such records are moved into it when they are met at the start. */
#include "state/states_parts.h"

#include "core/hex.h"
#include "core/reader.h"
#include "core/writer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    RECORD_VERSION = 1,
    RECORD_HEAD_SIZE = 1 + 1 + 4,
    RECORD_PIECE = 256,
    RECORD_SIZE_MAX_HERE =
        RECORD_HEAD_SIZE + RECEIPT_ID_SIZE_MAX + RECEIPT_TEXT_SIZE_MAX + RECORD_PIECE,
    READY_FROM = 64,   /* places that were used; before, it is not known whether many come */
    READY_LOW = 32,    /* fewer than these are ready: */
    READY_COUNT = 128, /* make so many more */
    MOVE_COUNT = 64    /* old records moved at once */
};

void receipt_key(char key[RECORD_KEY_SIZE], size_t place)
{
    snprintf(key, RECORD_KEY_SIZE, "#%04x", (unsigned)place);
}

/* False: not the key of a place. */
static bool place_of(const char *key, size_t *place)
{
    uint8_t number[2];
    if (key[0] != '#' || !hex_decode(number, sizeof(number), bytes_of_string(key + 1)))
        return false;
    *place = (size_t)number[0] << 8 | number[1];
    return *place < RECEIPTS_STORED_MAX;
}

void receipt_write(struct buffer *record, const char *id, struct bytes text, size_t size_min)
{
    static const uint8_t zeros[RECORD_PIECE];
    uint8_t head[RECORD_HEAD_SIZE];
    struct bytes name = bytes_of_string(id);
    struct writer writer = writer_into(head, sizeof(head));
    write_u8(&writer, RECORD_VERSION);
    write_u8(&writer, (uint8_t)name.size);
    write_u32_le(&writer, (uint32_t)text.size);
    buffer_append(record, writer_view(&writer));
    buffer_append(record, name);
    buffer_append(record, text);
    while (!record->failed && (record->size < size_min || record->size % RECORD_PIECE != 0))
        buffer_append(record, bytes_of(zeros, RECORD_PIECE - record->size % RECORD_PIECE));
}

bool receipt_read(struct bytes record, struct bytes *id, struct bytes *text, struct error *error)
{
    struct reader reader = reader_of(record);
    uint8_t version = read_u8(&reader), id_size = read_u8(&reader);
    uint32_t text_size = read_u32_le(&reader);
    *id = read_bytes(&reader, id_size);
    *text = read_bytes(&reader, text_size);
    return (!reader.failed && version == RECORD_VERSION && id_size <= RECEIPT_ID_SIZE_MAX) ||
           error_set(error, ERROR_CORRUPT, "a receipt's record has the wrong form");
}

void receipt_note(struct states *states, const char *id, size_t size)
{
    size_t place = states->receipt_next;
    snprintf(states->receipts[place], sizeof(states->receipts[place]), "%s", id);
    states->receipt_next = (place + 1) % RECEIPTS_STORED_MAX;
    states->receipt_end = MAX(states->receipt_end, place + 1);
    states->receipt_size = size;
}

bool receipt_find(const struct states *states, const char *id, struct buffer *text,
                  struct error *error)
{
    char key[RECORD_KEY_SIZE];
    AUTO_BUFFER struct buffer record;
    struct bytes id_there, text_there;
    uint64_t revision;
    for (size_t i = 1; i <= RECEIPTS_STORED_MAX; i++) {
        size_t place = (states->receipt_next + RECEIPTS_STORED_MAX - i) % RECEIPTS_STORED_MAX;
        if (strcmp(states->receipts[place], id) != 0)
            continue;
        receipt_key(key, place);
        buffer_init(&record, RECORD_SIZE_MAX_HERE);
        if (!store_get(states->store, (struct store_key){ STATE_SPACE_RECEIPTS, key }, &record,
                       &revision, error) ||
            !receipt_read(buffer_view(&record), &id_there, &text_there, error))
            return false;
        if (!bytes_equal_string(id_there, id))
            return error_set(error, ERROR_CORRUPT, "another receipt stands where this one stood");
        buffer_append(text, text_there);
        return true;
    }
    return error_set(error, ERROR_NOT_FOUND, "no such receipt");
}

/* --- made ready --- */

bool receipts_make_ready(struct states *states, struct error *error)
{
    struct store_write writes[READY_COUNT];
    char keys[READY_COUNT][RECORD_KEY_SIZE];
    AUTO_BUFFER struct buffer empty;
    size_t end = states->receipt_end, count = MIN((size_t)READY_COUNT, RECEIPTS_STORED_MAX - end);
    if (count == 0 || end < READY_FROM || states->receipt_next > end ||
        end - states->receipt_next >= READY_LOW)
        return true;
    buffer_init(&empty, RECORD_SIZE_MAX_HERE);
    receipt_write(&empty, "", (struct bytes){ 0 }, states->receipt_size);
    if (empty.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for receipts");
    for (size_t i = 0; i < count; i++) {
        receipt_key(keys[i], end + i);
        writes[i] = (struct store_write){ .kind = STORE_WRITE_PUT,
                                          .key = { STATE_SPACE_RECEIPTS, keys[i] },
                                          .value = buffer_view(&empty),
                                          .if_revision = STORE_REVISION_ANY };
    }
    if (!store_apply(states->store, writes, count, error))
        return false;
    states->receipt_end = end + count;
    return true;
}

/* --- at the start --- */

/* A record that has a receipt. */
struct found {
    char key[RECEIPT_ID_SIZE_MAX + 1];
    uint64_t revision;
    size_t place; /* RECEIPTS_STORED_MAX: none, it is from before there was a ring */
};
struct founds {
    struct found *entries;
    size_t count;
};

static bool place_read(struct states *states, const char *key, size_t place, bool *is_used,
                       struct error *error)
{
    AUTO_BUFFER struct buffer record;
    struct bytes id, text;
    uint64_t revision;
    buffer_init(&record, RECORD_SIZE_MAX_HERE);
    if (!store_get(states->store, (struct store_key){ STATE_SPACE_RECEIPTS, key }, &record,
                   &revision, error) ||
        !receipt_read(buffer_view(&record), &id, &text, error))
        return false;
    snprintf(states->receipts[place], sizeof(states->receipts[place]), "%.*s", (int)id.size,
             (const char *)id.data);
    states->receipt_end = MAX(states->receipt_end, place + 1);
    states->receipt_size = record.size;
    *is_used = id.size > 0;
    return true;
}

static bool entry_take(struct states *states, const struct store_entry *entry,
                       struct founds *founds, struct error *error)
{
    struct found *found = &founds->entries[founds->count];
    bool is_used = true;
    size_t place = RECEIPTS_STORED_MAX;
    if (founds->count == 2 * (size_t)RECEIPTS_STORED_MAX ||
        strlen(entry->key) > RECEIPT_ID_SIZE_MAX)
        return error_set(error, ERROR_CORRUPT, "the receipts are not those that were kept");
    if (place_of(entry->key, &place) && !place_read(states, entry->key, place, &is_used, error))
        return false;
    snprintf(found->key, sizeof(found->key), "%s", entry->key);
    found->revision = entry->revision;
    found->place = place;
    founds->count += is_used;
    return true;
}

static bool founds_read(struct states *states, struct founds *founds, struct error *error)
{
    char after[STORE_KEY_SIZE_MAX + 1] = "";
    for (bool more = true; more;) {
        AUTO_STORE_PAGE struct store_page page = { 0 };
        if (!store_list(states->store, (struct store_key){ STATE_SPACE_RECEIPTS, "" }, after,
                        STORE_LIST_MAX, &page, error))
            return false;
        for (size_t i = 0; i < page.count; i++)
            if (!entry_take(states, &page.entries[i], founds, error))
                return false;
        more = page.more;
        if (page.count > 0)
            snprintf(after, sizeof(after), "%s", page.entries[page.count - 1].key);
    }
    return true;
}

static int found_order(const void *a, const void *b)
{
    const struct found *left = a, *right = b;
    return left->revision < right->revision ? -1 : left->revision > right->revision ? 1 : 0;
}

/* One that was kept under its id becomes the ring's next. */
static bool move_add(struct states *states, const struct found *found, struct store_write *writes,
                     char key[RECORD_KEY_SIZE], struct buffer *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    uint64_t revision;
    buffer_init(&text, RECEIPT_TEXT_SIZE_MAX);
    struct store_key old = { STATE_SPACE_RECEIPTS, found->key };
    if (!store_get(states->store, old, &text, &revision, error))
        return false;
    receipt_write(record, found->key, buffer_view(&text), 0);
    if (text.failed || record->failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory to move a receipt");
    receipt_key(key, states->receipt_next);
    writes[0] = (struct store_write){ .kind = STORE_WRITE_PUT,
                                      .key = { STATE_SPACE_RECEIPTS, key },
                                      .value = buffer_view(record),
                                      .if_revision = STORE_REVISION_ANY };
    writes[1] = (struct store_write){ .kind = STORE_WRITE_DELETE,
                                      .key = old,
                                      .if_revision = STORE_REVISION_ANY };
    receipt_note(states, found->key, record->size);
    return true;
}

static bool some_move(struct states *states, const struct found *first, size_t count,
                      struct error *error)
{
    struct store_write writes[2 * MOVE_COUNT];
    char keys[MOVE_COUNT][RECORD_KEY_SIZE];
    struct buffer records[MOVE_COUNT];
    size_t moved = 0;
    for (; moved < count; moved++) {
        buffer_init(&records[moved], RECORD_SIZE_MAX_HERE);
        if (!move_add(states, &first[moved], &writes[2 * moved], keys[moved], &records[moved],
                      error)) {
            buffer_done(&records[moved]);
            break;
        }
    }
    bool done = moved == count && store_apply(states->store, writes, 2 * count, error);
    for (size_t i = 0; i < moved; i++)
        buffer_done(&records[i]);
    return done;
}

bool receipts_open(struct states *states, struct error *error)
{
    struct founds founds = { .count = 0 };
    states->receipts = calloc(RECEIPTS_STORED_MAX, sizeof(*states->receipts));
    founds.entries = calloc(2 * (size_t)RECEIPTS_STORED_MAX + 1, sizeof(*founds.entries));
    bool done = (states->receipts != NULL && founds.entries != NULL) ||
                error_set(error, ERROR_NO_MEMORY, "no memory for receipts");
    done = done && founds_read(states, &founds, error);
    if (done && founds.count > 0)
        qsort(founds.entries, founds.count, sizeof(*founds.entries), found_order);
    size_t moves = 0;
    for (size_t i = 0; done && i < founds.count; i++) {
        struct found *found = &founds.entries[i];
        if (found->place < RECEIPTS_STORED_MAX)
            states->receipt_next = (found->place + 1) % RECEIPTS_STORED_MAX;
        else
            founds.entries[moves++] = *found;
    }
    for (size_t i = 0; done && i < moves; i += MOVE_COUNT)
        done = some_move(states, founds.entries + i, MIN(moves - i, (size_t)MOVE_COUNT), error);
    free(founds.entries);
    return done;
}
