/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/owners.h"
#include "base/json.h"
#include "base/secret.h"
#include "core/hex.h"
#include "crypto/random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owner {
    struct digest32 id;
    struct ecdsa_public key;
};

struct owners {
    struct store *store;
    struct owner list[OWNER_COUNT_MAX];
    size_t count;
    bool claim_is_open;
    char code[CLAIM_CODE_SIZE + 1];
    uint64_t window_start_ns;
    unsigned attempts; /* wrong ones in this window */
};

static bool owner_add(struct owners *owners, const struct ecdsa_public *key, struct error *error)
{
    struct digest32 id = ecdsa_public_id(key);
    struct ecdsa_public known;
    if (owners_find(owners, &id, &known))
        return true;
    if (owners->count == OWNER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d owners", OWNER_COUNT_MAX);
    owners->list[owners->count++] = (struct owner){ id, *key };
    return true;
}

static bool owner_load(struct owners *owners, const char *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    AUTO_JSON json_t *jwk = NULL;
    struct ecdsa_public key;
    uint64_t revision;
    bool loaded = store_get(owners->store, (struct store_key){ STORE_SPACE_NODE, record }, &text,
                            &revision, error) &&
                  json_parse(&jwk, buffer_view(&text), error) &&
                  ecdsa_public_from_jwk(&key, jwk, error) && owner_add(owners, &key, error);
    return loaded || error_within(error, "record %s", record);
}

bool owners_open(struct owners **owners, struct store *store, const struct ecdsa_public *configured,
                 size_t configured_count, struct error *error)
{
    AUTO(owners) struct owners *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for owners");
    made->store = store;
    AUTO_STORE_PAGE struct store_page page = { 0 };
    struct store_key prefix = { STORE_SPACE_NODE, "owners/" };
    if (!store_list(store, prefix, NULL, OWNER_COUNT_MAX, &page, error))
        return error_within(error, "owners");
    for (size_t i = 0; i < page.count; i++) {
        if (!owner_load(made, page.entries[i].key, error))
            return false;
    }
    for (size_t i = 0; i < configured_count; i++) {
        if (!owner_add(made, &configured[i], error))
            return false;
    }
    *owners = TAKE(made);
    return true;
}

void owners_free(struct owners *owners)
{
    if (owners == NULL)
        return;
    secret_wipe(owners->code, sizeof(owners->code));
    free(owners);
}

size_t owners_count(const struct owners *owners)
{
    return owners->count;
}

bool owners_find(const struct owners *owners, const struct digest32 *id, struct ecdsa_public *key)
{
    for (size_t i = 0; i < owners->count; i++) {
        if (digest32_equal(&owners->list[i].id, id)) {
            *key = owners->list[i].key;
            return true;
        }
    }
    return false;
}

void claim_open(struct owners *owners, char code[CLAIM_CODE_SIZE + 1])
{
    /* Characters that no one confuses; 32 of them, so that a byte's low bits are unbiased. */
    static const char characters[] = "abcdefghjkmnpqrstuvwxyz23456789x";
    uint8_t random[CLAIM_CODE_SIZE];
    random_bytes(random, sizeof(random));
    for (size_t i = 0; i < CLAIM_CODE_SIZE; i++)
        owners->code[i] = i % 6 == 5 ? '-' : characters[random[i] & 31];
    owners->code[CLAIM_CODE_SIZE] = '\0';
    owners->claim_is_open = true;
    secret_wipe(random, sizeof(random));
    memcpy(code, owners->code, sizeof(owners->code));
}

bool claim_is_open(const struct owners *owners)
{
    return owners->claim_is_open;
}

static bool owner_store(struct owners *owners, const struct ecdsa_public *key, struct error *error)
{
    struct digest32 id = ecdsa_public_id(key);
    char record[96];
    snprintf(record, sizeof(record), "owners/%s", hex_of_digest(&id).text);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 4096);
    AUTO_JSON json_t *jwk = ecdsa_public_to_jwk(key);
    if (jwk == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an owner");
    uint64_t revision;
    return json_canonical(&text, jwk, error) &&
           store_put(owners->store, (struct store_key){ STORE_SPACE_NODE, record },
                     buffer_view(&text), 0, &revision, error);
}

static bool attempt_is_allowed(struct owners *owners, uint64_t now_ns)
{
    if (now_ns - owners->window_start_ns >= (uint64_t)CLAIM_WINDOW_MS * 1000000u) {
        owners->window_start_ns = now_ns;
        owners->attempts = 0;
    }
    return owners->attempts < CLAIM_ATTEMPT_COUNT_MAX;
}

bool claim_present(struct owners *owners, struct bytes code, const struct ecdsa_public *key,
                   const struct clock *clock, struct error *error)
{
    if (!owners->claim_is_open)
        return error_set(error, ERROR_DENIED,
                         owners_count(owners) > 0 ? "this node has an owner already"
                                                  : "this node takes no claims");
    if (!attempt_is_allowed(owners, clock_monotonic_ns(clock)))
        return error_set(error, ERROR_BUSY, "too many wrong claim codes, wait %d s",
                         CLAIM_WINDOW_MS / 1000);
    char given[CLAIM_CODE_SIZE] = { 0 };
    memcpy(given, code.data, MIN(code.size, sizeof(given)));
    bool same = secret_equal(given, owners->code, sizeof(given));
    if (!same || code.size != sizeof(given)) {
        owners->attempts++;
        return error_set(error, ERROR_DENIED, "the claim code is wrong");
    }
    if (!owner_store(owners, key, error) || !owner_add(owners, key, error))
        return false;
    owners->claim_is_open = false;
    secret_wipe(owners->code, sizeof(owners->code));
    return true;
}
