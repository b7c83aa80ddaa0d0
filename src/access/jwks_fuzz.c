/* SPDX-License-Identifier: Apache-2.0 */
#include "access/jwks.h"

void fuzz_one(struct bytes input);

void fuzz_one(struct bytes input)
{
    static struct jwks keys;
    char uri[JWKS_URL_SIZE_MAX + 1];
    struct error error;
    if (jwks_parse(&keys, input, &error)) {
        for (size_t i = 0; i < keys.count; i++) {
            const struct jwks_key *key = &keys.keys[i];
            struct bytes id = bytes_of_string(key->id);
            ASSERT(id.size == 0 || jwks_find(&keys, key->algorithm, id) == key);
            (void)!jwks_verify(key, BYTES_LITERAL("a.b"), input, &error);
        }
    }
    (void)!discovery_parse(uri, input, "https://issuer.example", &error);
}
