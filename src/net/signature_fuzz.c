/* SPDX-License-Identifier: Apache-2.0 */
/* The first line is Signature-Input, the second Signature, the rest Content-Digest. */
#include "fuzz/fuzz.h"
#include "net/signature.h"
#include "net/structured.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct signature signature;
    struct digest32 digest;
    struct structured_member member;
    struct bytes first = bytes_part(input, 0, bytes_find(input, '\n'));
    struct bytes rest = bytes_part(input, first.size + 1, input.size);
    struct bytes second = bytes_part(rest, 0, bytes_find(rest, '\n'));
    rest = bytes_part(rest, second.size + 1, rest.size);
    struct http_field fields[] = { { BYTES_LITERAL("signature-input"), first },
                                   { BYTES_LITERAL("signature"), second },
                                   { BYTES_LITERAL("content-digest"), rest } };
    struct signature_message message = { .scheme = BYTES_LITERAL("https"),
                                         .authority = BYTES_LITERAL("a"),
                                         .target = BYTES_LITERAL("/b?c"),
                                         .fields = fields,
                                         .field_count = 3 };
    struct structured structured = structured_of(first);
    while (structured_next(&structured, &member) == STRUCTURED_MEMBER) {
        ASSERT(member.item_count <= SIGNATURE_COMPONENT_COUNT_MAX);
        ASSERT(member.raw.size <= first.size);
    }
    if (content_digest_parse(&digest, rest, &error) &&
        content_digest_check(rest, BYTES_LITERAL(""), &error))
        return;
    if (!signature_parse(&signature, &message, SIGNATURE_LABEL, &error))
        return;
    AUTO_BUFFER struct buffer base;
    buffer_init(&base, SIGNATURE_BASE_SIZE_MAX);
    if (signature_base(&base, &signature, &message, &error) &&
        signature_check(&signature, true, signature.created_s, &error))
        ASSERT(signature.nonce.size >= 16);
}
