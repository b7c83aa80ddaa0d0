/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/receipt_uses.h"

#include "core/hex.h"

#include <string.h>

/* Printable ASCII without what JSON escapes. */
static bool is_use_name(const char *name)
{
    size_t size = strnlen(name, RECEIPT_USE_NAME_SIZE_MAX + 1);
    if (size == 0 || size > RECEIPT_USE_NAME_SIZE_MAX)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (name[i] <= ' ' || name[i] > '~' || name[i] == '"' || name[i] == '\\')
            return false;
    }
    return true;
}

static bool is_service(const char *name)
{
    size_t size = strnlen(name, KEYS_NAME_SIZE_MAX + 1);
    return size > 0 && size <= KEYS_NAME_SIZE_MAX &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-") == size;
}

bool receipt_uses_are_good(const struct receipt *receipt)
{
    if (receipt->use_count > RECEIPT_USE_COUNT_MAX)
        return false;
    for (unsigned i = 0; i < receipt->use_count; i++) {
        if (!is_service(receipt->uses[i].service) || !is_use_name(receipt->uses[i].name))
            return false;
    }
    return true;
}

void receipt_uses_append(struct buffer *text, const struct receipt *receipt)
{
    for (unsigned i = 0; i < receipt->use_count; i++) {
        const struct receipt_use *use = &receipt->uses[i];
        buffer_append_string(text, i == 0 ? ",\"uses\":[{" : ",{");
        if (use->has_after)
            buffer_format(text, "\"after\":\"%s\",", hex_of_digest(&use->after).text);
        if (use->has_before)
            buffer_format(text, "\"before\":\"%s\",", hex_of_digest(&use->before).text);
        buffer_format(text, "\"name\":\"%s\",\"service\":\"%s\"}", use->name, use->service);
    }
    if (receipt->use_count > 0)
        buffer_append_string(text, "]");
}

static bool digest_get(const json_t *json, const char *key, bool *has, struct digest32 *digest,
                       struct error *error)
{
    *has = json_object_get(json, key) != NULL;
    return !*has || json_get_hex(json, key, digest->bytes, sizeof(digest->bytes), error);
}

static bool use_get(struct receipt_use *use, const json_t *json, struct error *error)
{
    const char *service, *name;
    if (!json_get_string(json, "service", &service, error) ||
        !json_get_string(json, "name", &name, error) ||
        !digest_get(json, "before", &use->has_before, &use->before, error) ||
        !digest_get(json, "after", &use->has_after, &use->after, error))
        return false;
    if (strlen(service) >= sizeof(use->service) || strlen(name) >= sizeof(use->name))
        return error_set(error, ERROR_INVALID, "a name in uses is too long");
    memcpy(use->service, service, strlen(service) + 1);
    memcpy(use->name, name, strlen(name) + 1);
    return true;
}

bool receipt_uses_get(struct receipt *receipt, const json_t *claims, struct error *error)
{
    json_t *uses;
    if (json_object_get(claims, "uses") == NULL)
        return true;
    if (!json_get_array(claims, "uses", &uses, error))
        return false;
    if (json_array_size(uses) > RECEIPT_USE_COUNT_MAX)
        return error_set(error, ERROR_INVALID, "uses has more than %d entries",
                         RECEIPT_USE_COUNT_MAX);
    for (; receipt->use_count < json_array_size(uses); receipt->use_count++) {
        if (!use_get(&receipt->uses[receipt->use_count], json_array_get(uses, receipt->use_count),
                     error))
            return false;
    }
    return true;
}
