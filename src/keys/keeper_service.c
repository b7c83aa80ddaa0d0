/* SPDX-License-Identifier: Apache-2.0 */
#include "base/ipc.h"
#include "keys/hierarchy.h"
#include "keys/keeper.h"
#include "keys/keeper_message.h"
#include "keys/sealing.h"

#include <string.h>

/* The rows share one signature; descriptors never travel here. */
#define SERVE(name)                                                                                \
    static bool name(void *context, const struct ipc_message *message, struct buffer *answer,      \
                     int *descriptors UNUSED, unsigned *descriptor_count UNUSED,                   \
                     struct error *error)

static bool begins_about_now(const struct keeper_service *service,
                             const struct keyset_validity *validity)
{
    int64_t now_s = (int64_t)(clock_realtime_ns(service->clock) / 1000000000);
    return validity->not_before_s >= now_s - KEYSET_VALIDITY_MAX_S &&
           validity->not_before_s <= now_s + KEEPER_CLOCK_SKEW_MAX_S;
}

SERVE(serve_endorse)
{
    struct keeper_service *service = context;
    struct endorse_request request;
    if (!endorse_request_read(&request, message->payload, error))
        return false;
    struct keyset keyset = { .receipt_key = request.receipt_key,
                             .tls_key = request.tls_key,
                             .validity = request.validity };
    memcpy(keyset.node, service->platform.node, sizeof(keyset.node));
    memcpy(keyset.platform, service->platform.name, strlen(service->platform.name) + 1);
    AUTO_SECRET32 struct secret32 encryption_key;
    encryption_key_derive(&encryption_key, &service->root, request.validity.not_before_s);
    size_t before = answer->size;
    if (!x25519_public_of(&keyset.encryption_key, &encryption_key, error) ||
        !keyset_write(answer, &keyset, error))
        return error_within(error, "endorse");
    if (!begins_about_now(service, &request.validity))
        return error_set(error, ERROR_DENIED, "a keyset is endorsed for about now only");
    service->endorsed[service->endorsed_count++ % KEEPER_KEYSETS_MAX] =
        keyset_digest(bytes_part(buffer_view(answer), before, KEYSET_SIZE_MAX));
    return true;
}

static bool is_endorsed(const struct keeper_service *service, const struct digest32 *keyset)
{
    for (size_t i = 0; i < MIN(service->endorsed_count, (size_t)KEEPER_KEYSETS_MAX); i++) {
        if (digest32_equal(&service->endorsed[i], keyset))
            return true;
    }
    return false;
}

SERVE(serve_evidence)
{
    struct keeper_service *service = context;
    struct evidence_request request;
    if (!evidence_request_read(&request, message->payload, error))
        return false;
    if (!is_endorsed(service, &request.keyset))
        return error_set(error, ERROR_DENIED, "no evidence for a keyset that was not endorsed");
    struct digest64 report_data = report_data_of(&request.keyset, &request.nonce);
    if (!service->platform.evidence(service->platform.context, &report_data, answer, error))
        return error_within(error, "evidence");
    return true;
}

SERVE(serve_seal)
{
    struct keeper_service *service = context;
    struct seal_request request;
    return seal_request_read(&request, message->payload, error) &&
           sealing_seal(&service->root, request.space, request.associated, request.body, answer,
                        error);
}

SERVE(serve_open)
{
    struct keeper_service *service = context;
    struct seal_request request;
    return seal_request_read(&request, message->payload, error) &&
           sealing_open(&service->root, request.space, request.associated, request.body, answer,
                        error);
}

SERVE(serve_info)
{
    struct keeper_service *service = context;
    (void)message;
    (void)error;
    buffer_append(answer, bytes_of(service->platform.name, strlen(service->platform.name) + 1));
    buffer_append(answer, bytes_of(service->platform.node, strlen(service->platform.node) + 1));
    return true;
}

static const struct ipc_request table[] = {
    { KEEPER_ENDORSE, "endorse", ENDORSE_REQUEST_SIZE, 0, serve_endorse },
    { KEEPER_EVIDENCE, "evidence", EVIDENCE_REQUEST_SIZE, 0, serve_evidence },
    { KEEPER_SEAL, "seal", KEEPER_PAYLOAD_MAX, 0, serve_seal },
    { KEEPER_OPEN, "open", KEEPER_PAYLOAD_MAX, 0, serve_open },
    { KEEPER_INFO, "info", 0, 0, serve_info },
};

bool keeper_serve(struct keeper_service *service, int socket, struct error *error)
{
    AUTO(ipc) struct ipc *ipc = NULL;
    if (!ipc_new(&ipc, socket, KEEPER_PAYLOAD_MAX, error))
        return false;
    service->endorsed_count = 0;
    struct error end = { 0 };
    while (ipc_serve_one(ipc, table, ARRAY_COUNT(table), service, -1, &end))
        ;
    if (end.code == ERROR_UNAVAILABLE)
        return true; /* the peer closed it */
    *error = end;
    return false;
}
