/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/audit_head.h"
#include "core/hex.h"
#include "crypto/hash.h"

#include <inttypes.h>
#include <stdio.h>

static struct digest32 statement_of(const struct audit_endorsement *endorsement)
{
    char text[512];
    int size = snprintf(
        text, sizeof(text),
        "{\"account\":\"%s\",\"digest\":\"%s\",\"keyset\":\"%s\","
        "\"number\":%" PRIu64 ",\"purpose\":\"s3n/audit-head/1\","
        "\"time_s\":%" PRId64 "}",
        hex_of_digest(&endorsement->account).text, hex_of_digest(&endorsement->head.digest).text,
        hex_of_digest(&endorsement->keyset).text, endorsement->head.number, endorsement->time_s);
    ASSERT(size > 0 && (size_t)size < sizeof(text));
    return sha256_of(bytes_of(text, (size_t)size));
}

bool audit_head_sign(struct audit_endorsement *endorsement, const struct ecdsa_key *receipt_key,
                     struct error *error)
{
    struct digest32 statement = statement_of(endorsement);
    return ecdsa_sign(&endorsement->signature, receipt_key, &statement, error);
}

bool audit_head_verify(const struct audit_endorsement *endorsement,
                       const struct ecdsa_public *receipt_key, struct error *error)
{
    struct digest32 statement = statement_of(endorsement);
    return ecdsa_verify(receipt_key, &statement, &endorsement->signature, error) ||
           error_set(error, ERROR_UNVERIFIED, "the node did not vouch for this end of the log");
}

json_t *audit_endorsement_tree(const struct audit_endorsement *endorsement)
{
    char signature[2 * sizeof(endorsement->signature.bytes) + 1];
    hex_encode(signature, BYTES_OF(endorsement->signature.bytes));
    return json_pack(
        "{s:s, s:s, s:s, s:I, s:s, s:I}", "account", hex_of_digest(&endorsement->account).text,
        "digest", hex_of_digest(&endorsement->head.digest).text, "keyset",
        hex_of_digest(&endorsement->keyset).text, "number", (json_int_t)endorsement->head.number,
        "signature", signature, "time_s", (json_int_t)endorsement->time_s);
}

bool audit_endorsement_read(struct audit_endorsement *endorsement, const json_t *tree,
                            struct error *error)
{
    static const char *const keys[] = { "account",   "digest", "keyset", "number",
                                        "signature", "time_s", NULL };
    struct audit_endorsement read;
    int64_t number;
    if (!json_check_keys(tree, keys, "endorsement", error) ||
        !json_get_hex(tree, "account", read.account.bytes, sizeof(read.account.bytes), error) ||
        !json_get_hex(tree, "digest", read.head.digest.bytes, sizeof(read.head.digest.bytes),
                      error) ||
        !json_get_hex(tree, "keyset", read.keyset.bytes, sizeof(read.keyset.bytes), error) ||
        !json_get_hex(tree, "signature", read.signature.bytes, sizeof(read.signature.bytes),
                      error) ||
        !json_get_integer(tree, "number", 0, INT64_MAX, &number, error) ||
        !json_get_integer(tree, "time_s", 0, INT64_MAX, &read.time_s, error))
        return false;
    read.head.number = (uint64_t)number;
    *endorsement = read;
    return true;
}
