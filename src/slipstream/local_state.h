/* SPDX-License-Identifier: Apache-2.0 */
/* The state of a program that runs without a node: entries in memory, in order of bytes, and their
 * form in a file.  The rules are those of docs/kv.md.
 *
 * A file is a list of snapshots, of which the last whole one counts: it is only ever appended to.
 *   snapshot: "S3NKV1\r\n", u32 size of the entries, u32 count, u32 FNV-1a of
 *   all bytes of the entries; each entry: u32 sizes of namespace, key, value, i64 expiry (ms since
 *   1970, 0: none), the three.  Little-endian. */
#ifndef SLIPSTREAM_LOCAL_STATE_H
#define SLIPSTREAM_LOCAL_STATE_H

#include "base/buffer.h"
#include "base/error.h"

enum {
    LOCAL_STATE_KEY_SIZE_MAX = 512,
    LOCAL_STATE_VALUE_SIZE_MAX = 256 << 10,
    LOCAL_STATE_SIZE_MAX = 32 << 20, /* of all entries */
    LOCAL_STATE_FILE_SIZE_MAX = 256 << 20,
    LOCAL_STATE_ENTRY_HEAD_SIZE = 3 * 4 + 8
};

struct local_name {
    struct bytes space, key;
};
struct local_entry {
    struct local_name name; /* own memory, together with the value's */
    struct bytes value;
    int64_t expires_ms; /* 0: never */
    uint8_t *memory;
};

struct local_state {
    struct local_entry *entries; /* in order */
    size_t count, room;
    size_t size; /* with heads */
    bool is_changed;
};

void local_state_done(struct local_state *store);
#define AUTO_LOCAL_STATE __attribute__((cleanup(local_state_done)))

/* The last whole snapshot of a file's content; none: an empty store.  INVALID: no such file. */
MUST_CHECK bool local_state_read(struct local_state *store, struct bytes content,
                                 struct error *error);
/* A snapshot, without what has expired. */
void local_state_write(const struct local_state *store, struct buffer *snapshot, int64_t now_ms);

/* NULL: there is none, or it has expired. */
const struct local_entry *local_state_find(const struct local_state *store,
                                           const struct local_name *name, int64_t now_ms);
/* INVALID (names), LIMIT. */
MUST_CHECK bool local_state_set(struct local_state *store, const struct local_name *name,
                                struct bytes value, int64_t expires_ms, struct error *error);
MUST_CHECK bool local_state_check(const struct local_name *name, struct error *error);
void local_state_remove(struct local_state *store, const struct local_name *name);
/* The place of the first entry that is not before the name. */
size_t local_state_from(const struct local_state *store, const struct local_name *name);

#endif
