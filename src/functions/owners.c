/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/owners.h"
#include "base/json.h"
#include "base/secret.h"
#include "core/hex.h"
#include "crypto/random.h"
#include "functions/batch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct owner {
    struct digest32 id; /* the account's */
    struct owner_step *keys;
    size_t key_count;
    uint64_t revision; /* of the record; 0: there is none */
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

static struct owner *owner_of(const struct owners *owners, const struct digest32 *account)
{
    for (size_t i = 0; i < owners->count; i++) {
        if (digest32_equal(&owners->list[i].id, account))
            return (struct owner *)(uintptr_t)&owners->list[i];
    }
    return NULL;
}

/* One that is known stays as it is. */
static bool owner_add(struct owners *owners, const struct owner_step *keys, size_t count,
                      uint64_t revision, struct error *error)
{
    struct digest32 id = ecdsa_public_id(&keys[0].key);
    if (owner_of(owners, &id) != NULL)
        return true;
    if (owners->count == OWNER_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d owners", OWNER_COUNT_MAX);
    struct owner made = { id, calloc(OWNER_KEY_COUNT_MAX, sizeof(*keys)), count, revision };
    if (made.keys == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for owners");
    memcpy(made.keys, keys, count * sizeof(*keys));
    owners->list[owners->count++] = made;
    return true;
}

static bool key_add(struct owners *owners, const struct ecdsa_public *key, uint64_t revision,
                    struct error *error)
{
    const struct owner_step first = { .key = *key };
    return owner_add(owners, &first, 1, revision, error);
}

/* A key alone, as claims write it, or {"keys":[...]} once it was followed by another. */
static bool steps_read(struct owner_step steps[OWNER_KEY_COUNT_MAX], size_t *count,
                       const json_t *tree, struct error *error)
{
    json_t *list;
    memset(steps, 0, sizeof(*steps));
    *count = 1;
    if (json_object_get(tree, "keys") == NULL)
        return ecdsa_public_from_jwk(&steps[0].key, tree, error);
    if (!json_get_array(tree, "keys", &list, error))
        return false;
    *count = json_array_size(list);
    if (*count == 0 || *count > OWNER_KEY_COUNT_MAX)
        return error_set(error, ERROR_INVALID, "keys: 1 to %d", OWNER_KEY_COUNT_MAX);
    for (size_t i = 0; i < *count; i++) {
        struct digest32 account = ecdsa_public_id(&steps[0].key);
        if (!owner_step_read(&steps[i], json_array_get(list, i), error) ||
            (i > 0 && !owner_step_verify(&account, i + 1, &steps[i - 1].key, &steps[i], error)))
            return error_within(error, "key %zu", i + 1);
    }
    return true;
}

static bool owner_load(struct owners *owners, const char *record, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    AUTO_JSON json_t *tree = NULL;
    struct owner_step steps[OWNER_KEY_COUNT_MAX];
    size_t count;
    uint64_t revision;
    bool loaded = store_get(owners->store, (struct store_key){ STORE_SPACE_NODE, record }, &text,
                            &revision, error) &&
                  json_parse(&tree, buffer_view(&text), error) &&
                  steps_read(steps, &count, tree, error) &&
                  owner_add(owners, steps, count, revision, error);
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
        if (!key_add(made, &configured[i], 0, error))
            return false;
    }
    *owners = TAKE(made);
    return true;
}

void owners_free(struct owners *owners)
{
    if (owners == NULL)
        return;
    for (size_t i = 0; i < owners->count; i++)
        free(owners->list[i].keys);
    secret_wipe(owners->code, sizeof(owners->code));
    free(owners);
}

size_t owners_count(const struct owners *owners)
{
    return owners->count;
}

bool owners_find(const struct owners *owners, const struct digest32 *id, struct ecdsa_public *key)
{
    const struct owner *owner = owner_of(owners, id);
    if (owner == NULL)
        return false;
    *key = owner->keys[owner->key_count - 1].key;
    return true;
}

/* --- one key after the other --- */

const struct owner_step *owners_keys(const struct owners *owners, const struct digest32 *account,
                                     size_t *count)
{
    const struct owner *owner = owner_of(owners, account);
    *count = owner == NULL ? 0 : owner->key_count;
    return owner == NULL ? NULL : owner->keys;
}

bool owners_account_of(const struct owners *owners, const struct digest32 *id, int64_t now_s,
                       struct digest32 *account, struct ecdsa_public *key)
{
    for (size_t i = 0; i < owners->count; i++) {
        const struct owner *owner = &owners->list[i];
        for (size_t j = 0; j < owner->key_count; j++) {
            const struct owner_step *step = &owner->keys[j];
            struct digest32 own = ecdsa_public_id(&step->key);
            if (!digest32_equal(&own, id) || (step->until_s != 0 && now_s >= step->until_s))
                continue;
            *account = owner->id;
            *key = step->key;
            return true;
        }
    }
    return false;
}

static bool steps_write(struct buffer *text, const struct owner *owner, struct error *error)
{
    json_t *list = json_array();
    AUTO_JSON json_t *tree = json_pack("{s:o}", "keys", list);
    for (size_t i = 0; tree != NULL && i < owner->key_count; i++)
        json_array_append_new(list, owner_step_tree(&owner->keys[i]));
    return tree == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory for an owner")
                        : json_canonical(text, tree, error);
}

static bool step_check(const struct owners *owners, const struct owner *owner,
                       const struct digest32 *by, const struct owner_step *step,
                       const struct change *change, struct error *error)
{
    const struct owner_step *present = &owner->keys[owner->key_count - 1];
    struct digest32 present_id = ecdsa_public_id(&present->key);
    struct digest32 next_id = ecdsa_public_id(&step->key), taken;
    struct ecdsa_public key;
    if (!digest32_equal(by, &present_id))
        return error_set(error, ERROR_DENIED, "only the account's present key names the next one");
    if (owner->key_count == OWNER_KEY_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "an account has had %d keys, the most it can",
                         OWNER_KEY_COUNT_MAX);
    if (step->from_s < change->now_s - OWNER_STEP_AGE_S_MAX ||
        step->from_s > change->now_s + OWNER_STEP_AGE_S_MAX)
        return error_set(error, ERROR_INVALID, "the statement's time is more than %d s off",
                         OWNER_STEP_AGE_S_MAX);
    if (owners_account_of(owners, &next_id, 0, &taken, &key))
        return error_set(error, ERROR_EXISTS, "this key is or was an owner's");
    return owner_step_verify(&owner->id, owner->key_count + 1, &present->key, step, error);
}

bool owners_rotate(struct owners *owners, struct audit *audit, const struct digest32 *account,
                   const struct digest32 *by, const struct owner_step *step, int64_t overlap_s,
                   const struct change *change, struct error *error)
{
    struct owner *owner = owner_of(owners, account);
    if (owner == NULL)
        return error_set(error, ERROR_NOT_FOUND, "there is no such account");
    if (!step_check(owners, owner, by, step, change, error))
        return false;
    AUTO_BUFFER struct buffer text;
    AUTO_BATCH struct batch batch;
    batch_init(&batch);
    buffer_init(&text, STORE_VALUE_SIZE_MAX);
    struct owner_step *last = &owner->keys[owner->key_count - 1];
    owner->keys[owner->key_count++] = *step;
    owner->keys[owner->key_count - 1].until_s = 0;
    last->until_s = change->now_s + overlap_s;
    struct digest32 id = ecdsa_public_id(&step->key);
    struct hex32 object = hex_of_digest(&id);
    char record[BATCH_KEY_SIZE], detail[64];
    snprintf(record, sizeof(record), "owners/%s", hex_of_digest(account).text);
    snprintf(detail, sizeof(detail), "overlap %lld s", (long long)overlap_s);
    struct audit_event event = { "key-rotate", object.text, detail };
    bool done = steps_write(&text, owner, error);
    size_t write = batch_put(&batch, record, buffer_view(&text), owner->revision);
    done = done && audit_apply(audit, &batch, owners->store, change, &event, error);
    if (!done) {
        memset(&owner->keys[--owner->key_count], 0, sizeof(*owner->keys));
        last->until_s = 0;
        return false;
    }
    owner->revision = batch.writes[write].revision;
    return true;
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

static bool owner_store(struct owners *owners, const struct ecdsa_public *key, uint64_t *revision,
                        struct error *error)
{
    struct digest32 id = ecdsa_public_id(key);
    char record[96];
    snprintf(record, sizeof(record), "owners/%s", hex_of_digest(&id).text);
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, 4096);
    AUTO_JSON json_t *jwk = ecdsa_public_to_jwk(key);
    if (jwk == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an owner");
    return json_canonical(&text, jwk, error) &&
           store_put(owners->store, (struct store_key){ STORE_SPACE_NODE, record },
                     buffer_view(&text), 0, revision, error);
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
    uint64_t revision;
    if (!owner_store(owners, key, &revision, error) || !key_add(owners, key, revision, error))
        return false;
    owners->claim_is_open = false;
    secret_wipe(owners->code, sizeof(owners->code));
    return true;
}
