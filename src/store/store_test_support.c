/* SPDX-License-Identifier: Apache-2.0 */
#include "store/store_test_support.h"

#include "crypto/aead.h"
#include "tests/harness.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static struct secret32 key_of(const char *space)
{
    struct secret32 key = { { 1, 2, 3 } };
    for (size_t i = 0; space[i] != '\0'; i++)
        key.bytes[3 + i % 29] ^= (uint8_t)space[i];
    return key;
}

static bool test_seal(void *context, const char *space, struct bytes associated, struct bytes plain,
                      struct buffer *sealed, struct error *error)
{
    struct test_sealer *test = context;
    if (++test->calls == test->fail_at)
        return error_set(error, ERROR_UNAVAILABLE, "the sealer is away");
    struct secret32 key = key_of(space);
    struct aead_nonce nonce = aead_nonce_random();
    buffer_append(sealed, BYTES_OF(nonce.bytes));
    uint8_t *target = buffer_reserve(sealed, plain.size + AEAD_TAG_SIZE);
    if (target == NULL || !aead_seal(target, &key, &nonce, plain, associated, error))
        return error_set(error, ERROR_LIMIT, "no room");
    sealed->size += plain.size + AEAD_TAG_SIZE;
    return true;
}

static bool test_open(void *context, const char *space, struct bytes associated,
                      struct bytes sealed, struct buffer *plain, struct error *error)
{
    struct test_sealer *test = context;
    if (++test->calls == test->fail_at)
        return error_set(error, ERROR_UNAVAILABLE, "the sealer is away");
    if (sealed.size < AEAD_NONCE_SIZE + AEAD_TAG_SIZE)
        return error_set(error, ERROR_CORRUPT, "sealed data is too short");
    struct secret32 key = key_of(space);
    struct aead_nonce nonce;
    memcpy(nonce.bytes, sealed.data, sizeof(nonce.bytes));
    struct bytes body = bytes_part(sealed, AEAD_NONCE_SIZE, sealed.size);
    uint8_t *target = buffer_reserve(plain, body.size - AEAD_TAG_SIZE);
    if (target == NULL)
        return error_set(error, ERROR_LIMIT, "no room");
    if (!aead_open(target, &key, &nonce, body, associated, error))
        return error_set(error, ERROR_CORRUPT, "does not open");
    plain->size += body.size - AEAD_TAG_SIZE;
    return true;
}

struct sealer test_sealer_of(struct test_sealer *context)
{
    return (struct sealer){ context, test_seal, test_open };
}

const char *test_store_path(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof(path), "%s/%s.db", test_folder(), name);
    return path;
}

bool test_sql(const char *path, const char *sql)
{
    sqlite3 *database = NULL;
    bool done = sqlite3_open(path, &database) == SQLITE_OK &&
                sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK;
    if (!done)
        test_note("sql: %s", sqlite3_errmsg(database));
    sqlite3_close(database);
    return done;
}

bool test_put(struct store *store, const char *key, const char *value, uint64_t if_revision,
              struct error *error)
{
    uint64_t revision;
    return store_put(store, (struct store_key){ "app", key }, bytes_of_string(value), if_revision,
                     &revision, error);
}

bool test_holds(struct store *store, const char *key, const char *value)
{
    AUTO_BUFFER struct buffer content;
    buffer_init(&content, STORE_VALUE_SIZE_MAX);
    uint64_t revision;
    struct error error = { 0 };
    if (!store_get(store, (struct store_key){ "app", key }, &content, &revision, &error)) {
        test_note("get %s: %s", key, error.text);
        return false;
    }
    return bytes_equal_string(buffer_view(&content), value);
}
