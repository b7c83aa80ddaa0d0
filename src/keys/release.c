/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/release.h"
#include "core/hex.h"
#include "core/sort.h"
#include "crypto/base64.h"

#include <stdio.h>
#include <string.h>

#define HEADER_BEGIN "{\"alg\":\"ES256\",\"b64\":false,\"crit\":[\"b64\"],\"kid\":\""
#define HEADER_END   "\",\"typ\":\"s3n-release+jws\"}"

enum {
    HEADER_SIZE = sizeof(HEADER_BEGIN) - 1 + 64 + sizeof(HEADER_END) - 1,
    STATEMENT_SIZE_MAX = RELEASE_ARTEFACT_COUNT_MAX * 67 + 256
};

static int digest_order(const void *left, const void *right)
{
    return memcmp(left, right, sizeof(struct digest32));
}

bool release_digest(struct digest32 *version, const struct digest32 *manifest,
                    struct digest32 *artefacts, size_t count, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, STATEMENT_SIZE_MAX);
    if (count > RELEASE_ARTEFACT_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "a version of %zu artefacts, at most %d are allowed",
                         count, RELEASE_ARTEFACT_COUNT_MAX);
    sort_items(artefacts, count, sizeof(*artefacts), digest_order);
    buffer_append_string(&text, "{\"artefacts\":[");
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && digest32_equal(&artefacts[i], &artefacts[i - 1]))
            continue;
        buffer_format(&text, "%s\"%s\"", i == 0 ? "" : ",", hex_of_digest(&artefacts[i]).text);
    }
    buffer_format(&text, "],\"manifest\":\"%s\",\"purpose\":\"s3n/version/1\"}",
                  hex_of_digest(manifest).text);
    if (text.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a version's digest");
    *version = sha256_of(buffer_view(&text));
    return true;
}

/* What is signed: the header as text, a dot, and the payload as it is. */
static struct digest32 signing_input(struct bytes header, const struct digest32 *version)
{
    char text[RELEASE_TEXT_SIZE_MAX];
    int size = snprintf(text, sizeof(text), "%.*s.%s", (int)header.size, (const char *)header.data,
                        hex_of_digest(version).text);
    ASSERT(size > 0 && (size_t)size < sizeof(text));
    return sha256_of(bytes_of(text, (size_t)size));
}

struct header_text {
    char text[HEADER_SIZE * 2];
};

static struct header_text header_of(const struct digest32 *signer)
{
    char plain[HEADER_SIZE + 1];
    struct header_text header;
    snprintf(plain, sizeof(plain), "%s%s%s", HEADER_BEGIN, hex_of_digest(signer).text, HEADER_END);
    ASSERT(base64url_text_size(HEADER_SIZE) < sizeof(header.text));
    base64url_encode(header.text, bytes_of(plain, HEADER_SIZE));
    return header;
}

bool release_sign(struct buffer *text, const struct digest32 *version, const struct ecdsa_key *key,
                  struct error *error)
{
    struct digest32 signer = ecdsa_public_id(ecdsa_key_public(key));
    struct header_text header = header_of(&signer);
    struct digest32 digest = signing_input(bytes_of_string(header.text), version);
    struct ecdsa_signature signature;
    if (!ecdsa_sign(&signature, key, &digest, error))
        return error_within(error, "sign a release");
    buffer_format(text, "%s..", header.text);
    base64url_append(text, BYTES_OF(signature.bytes));
    return !text->failed || error_set(error, ERROR_NO_MEMORY, "no room for a signature");
}

/* The signer in a header, which must be exactly ours. */
static bool signer_read(struct digest32 *signer, struct bytes header)
{
    char plain[HEADER_SIZE];
    size_t size = 0, at = sizeof(HEADER_BEGIN) - 1;
    return base64url_decode(plain, sizeof(plain), &size, header) && size == HEADER_SIZE &&
           memcmp(plain, HEADER_BEGIN, at) == 0 &&
           memcmp(plain + at + 64, HEADER_END, sizeof(HEADER_END) - 1) == 0 &&
           hex_decode(signer->bytes, sizeof(signer->bytes), bytes_of(plain + at, 64));
}

bool release_parse(struct release_signature *signature, struct bytes text, struct error *error)
{
    struct release_signature parsed;
    size_t dot = bytes_find(text, '.'), size = 0;
    struct bytes rest = bytes_part(text, dot, text.size);
    if (text.size > RELEASE_TEXT_SIZE_MAX || !bytes_starts_with(rest, BYTES_LITERAL("..")) ||
        !signer_read(&parsed.signer, bytes_part(text, 0, dot)))
        return error_set(error, ERROR_INVALID, "not a release signature (a detached JWS, ES256)");
    if (!base64url_decode(parsed.value.bytes, sizeof(parsed.value.bytes), &size,
                          bytes_part(rest, 2, rest.size)) ||
        size != sizeof(parsed.value.bytes))
        return error_set(error, ERROR_INVALID, "release signature: not a signature of 64 bytes");
    /* Upper-case digits would be a second text for the same. */
    struct header_text header = header_of(&parsed.signer);
    if (!bytes_equal_string(bytes_part(text, 0, dot), header.text))
        return error_set(error, ERROR_INVALID, "release signature: the header is not canonical");
    *signature = parsed;
    return true;
}

bool release_verify(const struct release_signature *signature, const struct digest32 *version,
                    const struct ecdsa_public *key, struct error *error)
{
    struct digest32 id = ecdsa_public_id(key);
    struct header_text header = header_of(&signature->signer);
    struct digest32 digest = signing_input(bytes_of_string(header.text), version);
    struct error wrong;
    if (digest32_equal(&id, &signature->signer) &&
        ecdsa_verify(key, &digest, &signature->value, &wrong))
        return true;
    return error_set(error, ERROR_UNVERIFIED, "the release is not signed by %.12s",
                     hex_of_digest(&signature->signer).text);
}
