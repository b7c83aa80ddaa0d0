/* SPDX-License-Identifier: Apache-2.0 */
/* /.well-known/s3n/: who this node is, for anyone. */
#include "base/log.h"
#include "cmd/s3nd/choices.h"
#include "cmd/s3nd/node.h"
#include "core/hex.h"
#include "keys/bundle.h"

#include <stdio.h>
#include <string.h>

void api_health(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    gateway_answer_json(node->gateway, call->handle, 200,
                        json_pack("{s:s, s:b}", "status", "ok", "ready", node_is_ready(node)));
}

static json_t *processor_json(const struct processor *processor)
{
    json_t *open = json_array();
    for (size_t i = 0; i < processor->vulnerability_count; i++) {
        if (processor->vulnerabilities[i].is_open)
            json_array_append_new(open, json_string(processor->vulnerabilities[i].name));
    }
    return json_pack("{s:o, s:o}", "smt",
                     processor->knows_smt ? json_boolean(processor->uses_smt) : json_null(),
                     "open_vulnerabilities", open);
}

void api_info(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct hex32 keyset = hex_of_digest(&node->identity.keyset_digest);
    json_t *info = json_pack(
        "{s:s, s:s, s:b, s:s, s:s, s:s, s:{s:I, s:I, s:I, s:I, s:I}}", "version", S3N_VERSION,
        "platform", node->info.platform, "simulated", strcmp(node->info.platform, "sim") == 0,
        "node", node->info.node, "keyset_digest", keyset.text, "compiler", node->compiler.name,
        "limits", "input_bytes", (json_int_t)node->config->input_kib_max << 10, "module_bytes",
        (json_int_t)MIN((uint64_t)node->config->blob_kib_max << 10, (uint64_t)MODULE_SIZE_MAX),
        "memory_mib", (json_int_t)MEMORY_MIB_MAX, "timeout_ms", (json_int_t)TIMEOUT_MS_MAX,
        "output_kib", (json_int_t)OUTPUT_KIB_MAX);
    json_object_set_new(info, "backend", json_string(node->config->backend));
    json_object_set_new(info, "chosen", choices_json(node));
    json_object_set_new(info, "processor", processor_json(&node->processor));
    gateway_answer_json(node->gateway, call->handle, 200, info);
}

bool attestation_write_for(void *context, const uint8_t nonce[ATTEST_NONCE_SIZE],
                           struct buffer *text, struct error *error)
{
    struct node *node = context;
    AUTO_ATTESTATION struct attestation attestation;
    attestation_init(&attestation);
    memcpy(attestation.platform, node->info.platform, sizeof(attestation.platform));
    memcpy(attestation.nonce.bytes, nonce, sizeof(attestation.nonce.bytes));
    buffer_append(&attestation.keyset, buffer_view(&node->identity.keyset));
    if (!node_evidence(node, &attestation.nonce, &attestation.evidence, error))
        return false;
    node_collateral_add(node, &attestation.evidence);
    return attestation_write(text, &attestation, error);
}

void api_attestation(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error;
    if (!call->has_nonce) {
        error_set(&error, ERROR_INVALID, "the query needs nonce=, 64 hexadecimal digits");
        gateway_answer_error(node->gateway, call->handle, &error,
                             "send 32 fresh random bytes, so that the evidence can't be older "
                             "than your question");
        return;
    }
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, ATTESTATION_SIZE_MAX);
    if (!attestation_write_for(node, call->nonce, &text, &error)) {
        node_keeper_failed(node, &error);
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    struct http_field fields[] = {
        HTTP_FIELD("content-type", BYTES_LITERAL("application/json")),
        HTTP_FIELD("cache-control", BYTES_LITERAL("no-store")),
    };
    struct http_answer answer = {
        .status = 200, .fields = fields, .field_count = 2, .body = buffer_view(&text)
    };
    gateway_answer(node->gateway, call->handle, &answer);
}

/* Who asked for a receipt that the disk may have. */
struct receipt_asker {
    struct node *node;
    struct http_handle handle;
};

static void receipt_answer(void *context, const char *receipt, const struct error *failure)
{
    struct receipt_asker *asker = context;
    struct error error;
    if (receipt != NULL) {
        gateway_answer_json(asker->node->gateway, asker->handle, 200,
                            json_pack("{s:s}", "receipt", receipt));
    } else if (failure->code != ERROR_NOT_FOUND) {
        gateway_answer_error(asker->node->gateway, asker->handle, failure, NULL);
    } else {
        error_set(&error, ERROR_NOT_FOUND, "there is no receipt of this invocation here");
        gateway_answer_error(asker->node->gateway, asker->handle, &error,
                             "a node keeps its last receipts only; the answer's S3N-Receipt field "
                             "is yours to keep");
    }
    free(asker);
}

/* Of invocations that wrote, the disk has them: from before the server's start, too. */
void api_receipt_get(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    char id[64];
    struct error error;
    struct receipt_asker *asker = malloc(sizeof(*asker));
    if (asker == NULL) {
        error_set(&error, ERROR_NO_MEMORY, "no memory to look for a receipt");
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    *asker = (struct receipt_asker){ node, call->handle };
    const char *receipt = receipt_book_find(node->receipts, call->receipt_id);
    snprintf(id, sizeof(id), "%.*s", (int)MIN(call->receipt_id.size, sizeof(id) - 1),
             (const char *)call->receipt_id.data);
    if (receipt != NULL)
        receipt_answer(asker, receipt, NULL);
    else if (!states_receipt_find(node->states, id, receipt_answer, asker, &error))
        receipt_answer(asker, NULL, &error);
}

void api_session(void *context, const struct gateway_call *call)
{
    struct node *node = context;
    struct error error = { 0 };
    struct session_exporter exporter;
    struct nonce32 nonce;
    struct ecdsa_signature signature;
    char nonce_text[65], signature_text[2 * sizeof(signature.bytes) + 1];
    if (!call->has_nonce || call->request->exporter == NULL) {
        error_set(&error, ERROR_INVALID,
                  call->has_nonce ? "there is no TLS session to speak of"
                                  : "the query needs nonce=, 64 hexadecimal digits");
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    memcpy(exporter.bytes, call->request->exporter, sizeof(exporter.bytes));
    memcpy(nonce.bytes, call->nonce, sizeof(nonce.bytes));
    if (!receipt_book_sign_session(node->receipts, &exporter, &nonce, &signature, &error)) {
        gateway_answer_error(node->gateway, call->handle, &error, NULL);
        return;
    }
    hex_encode(nonce_text, BYTES_OF(nonce.bytes));
    hex_encode(signature_text, BYTES_OF(signature.bytes));
    struct hex32 keyset = hex_of_digest(&node->identity.keyset_digest);
    gateway_answer_json(node->gateway, call->handle, 200,
                        json_pack("{s:s, s:s, s:s}", "keyset_digest", keyset.text, "nonce",
                                  nonce_text, "signature", signature_text));
}
