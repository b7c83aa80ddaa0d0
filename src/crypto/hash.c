/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/hash_parts.h"

#include "crypto/openssl.h"

#include <stdlib.h>

struct hash {
    enum hash_kind kind;
    EVP_MD_CTX *context;
};

static const EVP_MD *algorithm_of(enum hash_kind kind)
{
    const struct crypto_algorithms *algorithms = crypto_algorithms();
    switch (kind) {
    case HASH_SHA256:
        return algorithms->sha256;
    case HASH_SHA384:
        return algorithms->sha384;
    case HASH_SHA512:
        return algorithms->sha512;
    }
    assert_failed("kind of hash", __FILE__, __LINE__);
}

void hash_once(void *target, enum hash_kind kind, struct bytes data)
{
    ASSERT(EVP_Digest(data.data, data.size, target, NULL, algorithm_of(kind), NULL) == 1);
}

struct hash *hash_new(enum hash_kind kind)
{
    struct hash *hash = malloc(sizeof(*hash));
    ASSERT(hash != NULL);
    *hash = (struct hash){ .kind = kind, .context = EVP_MD_CTX_new() };
    ASSERT(hash->context != NULL);
    ASSERT(EVP_DigestInit_ex2(hash->context, algorithm_of(kind), NULL) == 1);
    return hash;
}

void hash_free(struct hash *hash)
{
    if (hash == NULL)
        return;
    EVP_MD_CTX_free(hash->context);
    free(hash);
}

void hash_update(struct hash *hash, struct bytes data)
{
    ASSERT(EVP_DigestUpdate(hash->context, data.data, data.size) == 1);
}

void hash_finish(struct hash *hash, void *target, enum hash_kind kind)
{
    ASSERT(hash->kind == kind);
    ASSERT(EVP_DigestFinal_ex(hash->context, target, NULL) == 1);
    ASSERT(EVP_DigestInit_ex2(hash->context, algorithm_of(kind), NULL) == 1);
}
