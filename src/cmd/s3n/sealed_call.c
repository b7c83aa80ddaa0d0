/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/sealed_call.h"

#include "crypto/ohttp.h"
#include "net/bhttp.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    SEALED_SIZE_MAX = SESSION_ANSWER_SIZE_MAX + (64 << 10),
    TRY_COUNT_MAX = 2 /* the keyset may be renewed between sealing and asking */
};

static bool request_seal(struct buffer *sealed, struct ohttp_exchange *exchange,
                         const struct session *session, const struct session_request *request,
                         struct error *error)
{
    char date[40];
    struct tm parts;
    time_t now = time(NULL);
    AUTO_BUFFER struct buffer plain;
    struct bhttp_request inner = { .method = request->method,
                                   .authority = http_client_authority(session->client),
                                   .path = bytes_of_string(request->target),
                                   .body = request->body };
    struct ohttp_key key = { session->keyset_digest.bytes[0], session->keyset.encryption_key };
    ASSERT(gmtime_r(&now, &parts) != NULL && !request->is_signed);
    strftime(date, sizeof(date), "%a, %d %b %Y %H:%M:%S GMT", &parts);
    inner.fields[inner.field_count++] = HTTP_FIELD("date", bytes_of_string(date));
    if (request->content_type != NULL)
        inner.fields[inner.field_count++] =
            HTTP_FIELD("content-type", bytes_of_string(request->content_type));
    if (request->nonce != NULL)
        inner.fields[inner.field_count++] =
            HTTP_FIELD("s3n-nonce", bytes_of_string(request->nonce));
    buffer_init(&plain, SEALED_SIZE_MAX);
    buffer_clear(sealed);
    return bhttp_request_encode(&plain, &inner, error) &&
           ohttp_request_seal(sealed, exchange, &key, AEAD_AES_256_GCM, buffer_view(&plain), error);
}

/* The opened answer takes the place of the sealed one; its fields borrow its memory. */
static bool answer_open(struct http_client_answer *answer, const struct ohttp_exchange *exchange,
                        struct error *error)
{
    struct buffer plain;
    struct bhttp_response response;
    size_t size = answer->body.size;
    buffer_init(&plain, SEALED_SIZE_MAX);
    uint8_t *space = malloc(size + 1);
    bool done = space != NULL
                    ? ohttp_response_open(&plain, exchange, buffer_view(&answer->body), error) &&
                          bhttp_response_decode(&response, buffer_view(&plain), space, error)
                    : error_set(error, ERROR_NO_MEMORY, "no memory for an answer");
    if (done) {
        buffer_clear(&answer->body);
        buffer_append(&answer->body, response.body);
        buffer_done(&answer->memory);
        answer->memory = plain;
        answer->status = response.status;
        answer->field_count = MIN(response.field_count, ARRAY_COUNT(answer->fields));
        memcpy(answer->fields, response.fields, answer->field_count * sizeof(answer->fields[0]));
    } else {
        buffer_done(&plain);
    }
    free(space);
    return done;
}

static bool try(struct session *session, const struct session_request *request,
                struct http_client_answer *answer, struct error *error)
{
    AUTO_BUFFER struct buffer sealed;
    __attribute__((cleanup(ohttp_exchange_done))) struct ohttp_exchange exchange = { 0 };
    buffer_init(&sealed, SEALED_SIZE_MAX);
    if (!request_seal(&sealed, &exchange, session, request, error))
        return error_within(error, "seal");
    struct session_request outer = { .method = HTTP_METHOD_POST,
                                     .target = "/.well-known/ohttp-gateway",
                                     .content_type = "message/ohttp-req",
                                     .body = buffer_view(&sealed) };
    if (!session_request(session, &outer, answer, error))
        return false;
    if (bytes_equal_string(http_client_answer_value(answer, "content-type"), "message/ohttp-res"))
        return answer_open(answer, &exchange, error);
    /* in the clear, anybody on the way may have said it: it can refuse, and nothing else */
    return answer->status >= 400 ||
           error_set(error, ERROR_UNVERIFIED, "the answer to a sealed request is not sealed");
}

bool sealed_call(struct session *session, const struct session_request *request,
                 struct http_client_answer *answer, struct error *error)
{
    for (unsigned i = 1;; i++) {
        struct digest32 sealed_to = session->keyset_digest;
        if (!try(session, request, answer, error)) {
            http_client_answer_done(answer);
            return false;
        }
        if (answer->status != 422 || i == TRY_COUNT_MAX ||
            digest32_equal(&sealed_to, &session->keyset_digest))
            return true;
        http_client_answer_done(answer);
        *answer = (struct http_client_answer){ 0 };
    }
}
