/* SPDX-License-Identifier: Apache-2.0 */
#include "core/hex.h"
#include "crypto/hash.h"
#include "functions/owners.h"

#include <inttypes.h>
#include <stdio.h>

static struct digest32 statement_of(const struct digest32 *account, uint64_t number,
                                    const struct ecdsa_public *from, const struct owner_step *step)
{
    char text[512];
    struct digest32 from_id = ecdsa_public_id(from), to_id = ecdsa_public_id(&step->key);
    int size = snprintf(text, sizeof(text),
                        "{\"account\":\"%s\",\"from\":\"%s\",\"number\":%" PRIu64
                        ",\"purpose\":\"s3n/owner-key/1\",\"time_s\":%" PRId64 ",\"to\":\"%s\"}",
                        hex_of_digest(account).text, hex_of_digest(&from_id).text, number,
                        step->from_s, hex_of_digest(&to_id).text);
    ASSERT(size > 0 && (size_t)size < sizeof(text));
    return sha256_of(bytes_of(text, (size_t)size));
}

bool owner_step_verify(const struct digest32 *account, uint64_t number,
                       const struct ecdsa_public *from, const struct owner_step *step,
                       struct error *error)
{
    struct digest32 statement = statement_of(account, number, from, step);
    struct error ignored;
    if (!ecdsa_verify(from, &statement, &step->signature, &ignored))
        return error_set(error, ERROR_UNVERIFIED, "the key before did not sign this one");
    return ecdsa_verify(&step->key, &statement, &step->proof, &ignored) ||
           error_set(error, ERROR_UNVERIFIED, "the new key did not prove itself");
}

bool owner_step_sign(struct owner_step *step, const struct digest32 *account, uint64_t number,
                     const struct ecdsa_key *from, const struct ecdsa_key *to, struct error *error)
{
    step->key = *ecdsa_key_public(to);
    struct digest32 statement = statement_of(account, number, ecdsa_key_public(from), step);
    return ecdsa_sign(&step->signature, from, &statement, error) &&
           ecdsa_sign(&step->proof, to, &statement, error);
}

json_t *owner_step_tree(const struct owner_step *step)
{
    char text[2 * sizeof(step->signature.bytes) + 1];
    json_t *tree = json_pack("{s:o}", "key", ecdsa_public_to_jwk(&step->key));
    if (tree == NULL)
        return NULL;
    if (step->from_s != 0) {
        json_object_set_new(tree, "from_s", json_integer(step->from_s));
        hex_encode(text, BYTES_OF(step->signature.bytes));
        json_object_set_new(tree, "signature", json_string(text));
        hex_encode(text, BYTES_OF(step->proof.bytes));
        json_object_set_new(tree, "proof", json_string(text));
    }
    if (step->until_s != 0)
        json_object_set_new(tree, "until_s", json_integer(step->until_s));
    return tree;
}

bool owner_step_read(struct owner_step *step, const json_t *tree, struct error *error)
{
    static const char *const keys[] = { "from_s", "key", "proof", "signature", "until_s", NULL };
    struct owner_step read = { 0 };
    json_t *jwk;
    if (!json_check_keys(tree, keys, "key", error) || !json_get_object(tree, "key", &jwk, error) ||
        !ecdsa_public_from_jwk(&read.key, jwk, error) ||
        (json_object_get(tree, "until_s") != NULL &&
         !json_get_integer(tree, "until_s", 1, INT64_MAX, &read.until_s, error)) ||
        (json_object_get(tree, "from_s") != NULL &&
         (!json_get_integer(tree, "from_s", 1, INT64_MAX, &read.from_s, error) ||
          !json_get_hex(tree, "signature", read.signature.bytes, sizeof(read.signature.bytes),
                        error) ||
          !json_get_hex(tree, "proof", read.proof.bytes, sizeof(read.proof.bytes), error))))
        return false;
    *step = read;
    return true;
}
