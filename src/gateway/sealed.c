/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/sealed.h"

#include "core/time.h"

#include <stdlib.h>
#include <string.h>

static const char hint_keyset[] =
    "ask for /.well-known/s3n/attestation again, verify it, and seal to the keyset in it";

void sealed_request_free(struct sealed_request *sealed)
{
    if (sealed == NULL)
        return;
    ohttp_exchange_done(&sealed->exchange);
    buffer_done(&sealed->plain);
    free(sealed->space);
    free(sealed);
}

/* ---- the date inside ---- */

static bool digits(int *number, struct bytes text, size_t at, size_t count)
{
    *number = 0;
    for (size_t i = at; i < at + count; i++) {
        if (text.data[i] < '0' || text.data[i] > '9')
            return false;
        *number = *number * 10 + (text.data[i] - '0');
    }
    return true;
}

bool sealed_date_parse(int64_t *time_s, struct bytes text)
{
    static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    static const char days[] = "ThuFriSatSunMonTueWed"; /* 1970 began on a Thursday */
    static const char form[] = "aaa, 00 aaa 0000 00:00:00 GMT";
    struct time_parts parts = { 0 };
    if (text.size != sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (form[i] != 'a' && form[i] != '0' && text.data[i] != form[i])
            return false;
    }
    for (int i = 0; i < 12; i++) {
        if (memcmp(months + (ptrdiff_t)i * 3, text.data + 8, 3) == 0)
            parts.month = i + 1;
    }
    if (!digits(&parts.day, text, 5, 2) || !digits(&parts.year, text, 12, 4) ||
        !digits(&parts.hour, text, 17, 2) || !digits(&parts.minute, text, 20, 2) ||
        !digits(&parts.second, text, 23, 2) || parts.year < 1970 ||
        !time_from_parts(time_s, &parts))
        return false;
    return memcmp(days + *time_s / 86400 % 7 * 3, text.data, 3) == 0;
}

/* ---- opening ---- */

static struct bytes field_value(const struct bhttp_request *inner, const char *name)
{
    for (size_t i = 0; i < inner->field_count; i++) {
        if (bytes_equal_string(inner->fields[i].name, name))
            return inner->fields[i].value;
    }
    return (struct bytes){ 0 };
}

/* Once only, and about now: who recorded it can't have it done again. */
static bool freshness_check(struct gateway *gateway, const struct sealed_request *sealed,
                            struct refusal *refusal)
{
    static const struct digest32 nobody;
    int64_t now_s = (int64_t)(clock_realtime_ns(gateway->options.clock) / 1000000000u), date_s;
    if (!sealed_date_parse(&date_s, field_value(&sealed->inner, "date")))
        return error_set(&refusal->error, ERROR_INVALID,
                         "a sealed request has a date, like Sat, 21 Nov 2026 22:30:00 GMT");
    if (date_s < now_s - GATEWAY_SEALED_AGE_S_MAX || date_s > now_s + GATEWAY_SEALED_AGE_S_MAX)
        return error_set(&refusal->error, ERROR_UNVERIFIED,
                         "the sealed request's date is more than %d s from this node's clock",
                         GATEWAY_SEALED_AGE_S_MAX);
    if (nonce_cache_use(gateway->sealed_seen, &nobody,
                        BYTES_OF(sealed->exchange.encapsulated.bytes), date_s, now_s,
                        &refusal->error))
        return true;
    if (refusal->error.code == ERROR_UNAUTHENTICATED)
        error_set(&refusal->error, ERROR_EXISTS,
                  "this sealed request was made before, or before this node began; seal it "
                  "anew to repeat it");
    return false;
}

/* A Host field says what the authority says, as outside; where that is left out, in its place. */
static bool request_make(struct sealed_request *sealed, const struct http_request *outer,
                         struct error *error)
{
    const struct bhttp_request *inner = &sealed->inner;
    struct http_request *request = &sealed->request;
    struct bytes authority = inner->authority.size > 0 ? inner->authority : outer->authority;
    for (size_t i = 0, count = 0; i < inner->field_count; i++) {
        if (!bytes_equal_string(inner->fields[i].name, "host"))
            continue;
        if (count++ == 0 && inner->authority.size == 0)
            authority = inner->fields[i].value;
        if (count > 1 || !bytes_equal(inner->fields[i].value, authority) ||
            !http_is_authority(authority))
            return error_set(error, ERROR_INVALID,
                             "binary HTTP: a host field that is not the authority");
    }
    *request = (struct http_request){
        .method = inner->method,
        .target = inner->path,
        .authority = authority,
        .fields = inner->fields,
        .field_count = inner->field_count,
        .has_body = inner->body.size > 0,
        .has_content_size = true,
        .content_size = inner->body.size,
        .is_secure = outer->is_secure,
        .peer = outer->peer,
        .body = inner->body,
    };
    http_request_split_target(request);
    return true;
}

static bool open_body(struct gateway *gateway, struct sealed_request *sealed, struct bytes body,
                      struct refusal *refusal)
{
    struct ohttp_request request;
    AUTO_HPKE_CONTEXT struct hpke_context context = { 0 };
    struct error *error = &refusal->error;
    if (!ohttp_request_parse(&request, body, error))
        return false;
    if (!gateway->options.sealed_context(gateway->options.context, &request, &context, error) ||
        !ohttp_request_open(&sealed->plain, &sealed->exchange, &request, &context, error)) {
        if (error->code == ERROR_UNVERIFIED)
            refusal->hint = hint_keyset;
        return false;
    }
    sealed->space = malloc(sealed->plain.size + 1);
    if (sealed->space == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a sealed request");
    return true;
}

/* From here on the caller is known to be able to read what is sealed to them. */
static bool enter_inner(struct gateway *gateway, struct gateway_request *request,
                        struct refusal *refusal)
{
    struct sealed_request *sealed = request->sealed;
    struct gateway_call *call = &request->call;
    if (!bhttp_request_decode(&sealed->inner, buffer_view(&sealed->plain), sealed->space,
                              &refusal->error) ||
        !freshness_check(gateway, sealed, refusal) ||
        !request_make(sealed, call->request, &refusal->error))
        return false;
    *call = (struct gateway_call){ .handle = request->handle,
                                   .request = &sealed->request,
                                   .request_id = request->id,
                                   .trace = &request->trace,
                                   .is_sealed = true };
    request->is_head = sealed->request.method == HTTP_METHOD_HEAD;
    request->allow[0] = '\0';
    /* the first stage gave the request its id, which it keeps */
    for (size_t i = 1; i < stage_count && stages[i].at_fields; i++) {
        if (!stages[i].enter(gateway, request, refusal))
            return false;
        if (refusal->is_taken)
            return true;
    }
    if (call->operation != GATEWAY_INVOKE && call->operation != GATEWAY_FUNCTION_ROUTE)
        return error_set(&refusal->error, ERROR_DENIED,
                         "sealed requests call functions and nothing else");
    return true;
}

bool stage_sealed(struct gateway *gateway, struct gateway_request *request, struct refusal *refusal)
{
    const struct http_request *outer = request->call.request;
    if (request->call.operation != GATEWAY_SEALED)
        return true;
    if (gateway->options.sealed_context == NULL)
        return error_set(&refusal->error, ERROR_UNSUPPORTED, "this node opens nothing");
    const struct http_field *type = http_request_field(outer, "content-type");
    if (type == NULL || !http_equal_fold(type->value, BYTES_LITERAL(SEALED_REQUEST_TYPE))) {
        refusal->status = 415;
        return error_set(&refusal->error, ERROR_INVALID,
                         "the body is of type " SEALED_REQUEST_TYPE);
    }
    struct sealed_request *sealed = calloc(1, sizeof(*sealed));
    if (sealed == NULL)
        return error_set(&refusal->error, ERROR_NO_MEMORY, "no memory for a sealed request");
    buffer_init(&sealed->plain, outer->body.size);
    if (!open_body(gateway, sealed, outer->body, refusal)) {
        sealed_request_free(sealed);
        return false;
    }
    request->sealed = sealed;
    memcpy(request->outer_origin, request->origin_text, sizeof(request->outer_origin));
    return enter_inner(gateway, request, refusal);
}

/* ---- answering ---- */

bool sealed_answer(struct buffer *text, const struct gateway_request *request,
                   const struct http_answer *answer, struct error *error)
{
    AUTO_BUFFER struct buffer plain;
    struct http_answer inner = *answer;
    if (request->is_head)
        inner.body = (struct bytes){ 0 };
    buffer_init(&plain, inner.body.size + GATEWAY_SEALED_HEAD_SIZE_MAX);
    return bhttp_response_encode(&plain, &inner, error) &&
           ohttp_response_seal(text, &request->sealed->exchange, buffer_view(&plain), error);
}
