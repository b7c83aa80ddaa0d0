/* SPDX-License-Identifier: Apache-2.0 */
/* s3n invoke APP/FN: calls a function and checks the receipt before it believes the answer. */
#include "base/file.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/sealed_call.h"
#include "cmd/s3n/session.h"
#include "core/hex.h"
#include "crypto/base64.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "functions/manifest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    INPUT_SIZE_MAX = 64 << 20
};

struct invoke {
    const char *data;
    const char *receipt;
    const char *policy;
    bool seal;
    bool any_code;
};

static const struct option_row rows[] = {
    { .name = "data",
      .letter = 'd',
      .kind = OPTION_STRING,
      .offset = offsetof(struct invoke, data),
      .value = "STRING|@FILE|-",
      .help = "input: the text, a file's content, or standard input (none)" },
    { .name = "receipt",
      .kind = OPTION_STRING,
      .offset = offsetof(struct invoke, receipt),
      .value = "FILE",
      .help = "keep receipt, keyset and evidence in one file for `s3n verify`" },
    { .name = "seal",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct invoke, seal),
      .help = "seal input and answer to the node's keyset, through whatever ends TLS" },
    { .name = "any-code",
      .kind = OPTION_FLAG,
      .offset = offsetof(struct invoke, any_code),
      .help = "take the answer of a version that others released, where you deployed another" },
    { .name = "policy",
      .kind = OPTION_STRING,
      .offset = offsetof(struct invoke, policy),
      .value = "FILE",
      .help = "judge the node by this policy before anything is sent (the login's)" },
};
static const struct option_table table = {
    .program = "s3n invoke",
    .usage = "APPLICATION/FUNCTION",
    .about = "Calls a function.  The answer goes to stdout after its receipt was checked: "
             "signature, keyset, nonce, code, input and output.",
    .rows = rows,
    .row_count = ARRAY_COUNT(rows),
    CLI_SHARED,
    .positional_min = 1,
    .positional_max = 1,
};

struct invoking {
    struct cli *cli;
    const struct invoke *options;
    const char *name; /* APP/FN */
    struct session session;
    struct buffer input;
    struct nonce32 nonce;
    struct http_client_answer answer;
    struct receipt receipt;
    bool has_receipt;
};

static bool input_read(struct invoking *invoking, struct error *error)
{
    const char *data = invoking->options->data;
    if (data == NULL)
        return true;
    if (strcmp(data, "-") == 0 || strcmp(data, "@-") == 0)
        return file_read_descriptor(&invoking->input, STDIN_FILENO, error);
    if (data[0] == '@')
        return file_read(&invoking->input, data + 1, error);
    buffer_append_string(&invoking->input, data);
    return !invoking->input.failed ||
           error_set(error, ERROR_LIMIT, "the input has more than %d bytes", INPUT_SIZE_MAX);
}

static bool target_make(char *target, size_t size, const char *name, struct error *error)
{
    char application[NAME_SIZE_MAX + 1], function[NAME_SIZE_MAX + 1];
    if (sscanf(name, "%63[a-z0-9-]/%63[a-z0-9-]", application, function) != 2 ||
        strlen(name) != strlen(application) + 1 + strlen(function))
        return error_set(error, ERROR_USAGE,
                         "%s is not APPLICATION/FUNCTION (`s3n ls` lists yours)",
                         error_quote(bytes_of_string(name)).text);
    snprintf(target, size, "/v1/applications/%s/functions/%s/invoke", application, function);
    return true;
}

static bool send_once(struct invoking *invoking, const char *target, bool is_signed,
                      struct error *error)
{
    char nonce[65];
    random_bytes(invoking->nonce.bytes, sizeof(invoking->nonce.bytes));
    hex_encode(nonce, BYTES_OF(invoking->nonce.bytes));
    struct session_request request = { .method = HTTP_METHOD_POST,
                                       .target = target,
                                       .content_type = "application/octet-stream",
                                       .body = buffer_view(&invoking->input),
                                       .is_signed = is_signed,
                                       .nonce = nonce };
    return (invoking->options->seal ? sealed_call : session_request)(&invoking->session, &request,
                                                                     &invoking->answer, error);
}

/* Nobody is told who calls unless the function asks for it. */
static bool send(struct invoking *invoking, const char *target, struct error *error)
{
    enum {
        UNAUTHORIZED = 401
    };
    if (!send_once(invoking, target, false, error))
        return false;
    if (invoking->answer.status != UNAUTHORIZED || invoking->options->seal)
        return true;
    http_client_answer_done(&invoking->answer);
    return send_once(invoking, target, true, error);
}

/* --- the receipt --- */

static bool differs(const char *what, struct error *error)
{
    return error_set(error, ERROR_UNVERIFIED, "the receipt's %s differs", what);
}

static bool is_signer(const struct receipt *receipt, const struct ecdsa_key *key)
{
    struct digest32 id = ecdsa_public_id(ecdsa_key_public(key));
    for (size_t i = 0; i < receipt->release.signer_count; i++)
        if (digest32_equal(&receipt->release.signers[i], &id))
            return true;
    return false;
}

/* Whether the version that answered carries a signature by this folder's key, or by one of those
 * before it. */
static bool is_released_from_here(const struct invoking *invoking)
{
    struct owner_keys_before before = { 0 };
    struct error unread; /* keys that can't be read released nothing */
    const struct ecdsa_key *key = invoking->session.key;
    bool is_mine = key != NULL && is_signer(&invoking->receipt, key);
    if (is_mine || !owner_keys_before(&before, &unread))
        return is_mine;
    for (size_t i = 0; i < before.count; i++)
        is_mine |= is_signer(&invoking->receipt, before.items[i]);
    owner_keys_before_done(&before);
    return is_mine;
}

/* What was called must be what answered; what ran must be what was last deployed from here, or
 * another version that was released with this folder's key: one before, or beside a canary. */
static bool receipt_check_subject(struct invoking *invoking, struct error *error)
{
    const struct receipt *receipt = &invoking->receipt;
    char name[2 * KEYS_NAME_SIZE_MAX + 2];
    struct digest32 code;
    snprintf(name, sizeof(name), "%s/%s", receipt->application, receipt->function);
    if (strcmp(name, invoking->name) != 0)
        return differs("function", error);
    if (profile_code(&invoking->session.profile, invoking->name, &code) &&
        !digest32_equal(&code, &receipt->code) && !invoking->options->any_code &&
        !is_released_from_here(invoking)) {
        snprintf(invoking->session.hint, sizeof(invoking->session.hint), "%s",
                 "`s3n versions show` says who released it; --any-code takes it as it is");
        return error_set(error, ERROR_UNVERIFIED,
                         "version %llu answered, which was not released from here (code "
                         "sha256:%.12s…)",
                         (unsigned long long)receipt->release.number,
                         hex_of_digest(&receipt->code).text);
    }
    return true;
}

/* A keyset is endorsed anew each hour, and after the load of a version where only it tells the
 * event log's head: the receipt of that very request names it. */
static bool keyset_follow(struct invoking *invoking, struct bytes text, struct error *error)
{
    struct receipt claimed;
    return !receipt_parse(&claimed, text, error) ||
           digest32_equal(&claimed.keyset, &invoking->session.keyset_digest) ||
           session_renew(&invoking->session, error);
}

static bool receipt_check(struct invoking *invoking, struct error *error)
{
    struct bytes text = http_client_answer_value(&invoking->answer, "s3n-receipt");
    const struct session *session = &invoking->session;
    struct receipt *receipt = &invoking->receipt;
    if (text.size == 0)
        return error_set(error, ERROR_UNVERIFIED, "the answer came without a receipt");
    if (!keyset_follow(invoking, text, error))
        return false;
    if (!receipt_verify(receipt, text, &session->keyset.receipt_key, error))
        return error_within(error, "receipt");
    struct digest32 input = sha256_of(buffer_view(&invoking->input));
    struct digest32 output = sha256_of(buffer_view(&invoking->answer.body));
    if (!digest32_equal(&receipt->keyset, &session->keyset_digest))
        return differs("keyset", error);
    if (!receipt->has_nonce ||
        memcmp(receipt->nonce.bytes, invoking->nonce.bytes, sizeof(receipt->nonce.bytes)) != 0)
        return differs("nonce", error);
    if (receipt->trigger.is_sealed != invoking->options->seal)
        return differs("sealing", error);
    if (!digest32_equal(&receipt->request, &input))
        return differs("input digest", error);
    /* A failed function's output stays in the node: the answer is the error, not its words. */
    if (invoking->answer.status == 200 && (receipt->outcome.status != RECEIPT_STATUS_DONE ||
                                           !digest32_equal(&receipt->response, &output)))
        return differs("output digest", error);
    invoking->has_receipt = true;
    return receipt_check_subject(invoking, error);
}

static bool receipt_keep(struct invoking *invoking, struct error *error)
{
    AUTO_BUNDLE struct bundle bundle;
    AUTO_BUFFER struct buffer text;
    bundle_init(&bundle);
    buffer_init(&text, BUNDLE_SIZE_MAX);
    buffer_append(&bundle.receipt, http_client_answer_value(&invoking->answer, "s3n-receipt"));
    return session_attestation(&invoking->session, &bundle.attestation, error) &&
           bundle_write(&text, &bundle, error) &&
           file_replace(invoking->options->receipt, buffer_view(&text), 0644, error);
}

/* --- results --- */

static bool show_json(const struct invoking *invoking, struct error *error)
{
    const struct receipt *receipt = &invoking->receipt;
    struct bytes output = buffer_view(&invoking->answer.body);
    bool is_text = bytes_is_utf8(output) && bytes_find(output, 0) == output.size;
    AUTO_BUFFER struct buffer encoded;
    buffer_init(&encoded, 2 * (SESSION_ANSWER_SIZE_MAX + 4));
    if (!is_text)
        base64_append(&encoded, output);
    struct bytes shown = is_text ? output : buffer_view(&encoded);
    if (shown.size == 0)
        shown = BYTES_LITERAL("");
    AUTO_JSON json_t *root =
        json_pack("{s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:s}", "function", invoking->name,
                  "invocation", receipt->id, "backend", receipt_backend_name(receipt->backend),
                  "duration_us", (json_int_t)receipt->usage.duration_us, "sequence",
                  (json_int_t)receipt->sequence, "code_digest", hex_of_digest(&receipt->code).text,
                  "manifest_digest", hex_of_digest(&receipt->manifest).text, "input_digest",
                  hex_of_digest(&receipt->request).text, "output_digest",
                  hex_of_digest(&receipt->response).text);
    if (root == NULL ||
        json_object_set_new(root, "sealed", json_boolean(receipt->trigger.is_sealed)) != 0 ||
        json_object_set_new(root, is_text ? "output" : "output_base64",
                            json_stringn((const char *)shown.data, shown.size)) != 0)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the result");
    return cli_write_json(root, error);
}

/* Why the function failed is in its log, which its owner can read. */
static bool failure_take(struct invoking *invoking, struct error *error)
{
    struct session *session = &invoking->session;
    size_t size = strcspn(invoking->name, "/");
    (void)session_error_of(session, &invoking->answer, error);
    if (session->hint[0] == '\0' && (error->code == ERROR_TRAPPED || error->code == ERROR_TIMEOUT))
        snprintf(session->hint, sizeof(session->hint),
                 "`s3n logs %.*s --request %.8s` shows what it logged", (int)size, invoking->name,
                 invoking->receipt.trigger.request_id);
    return false;
}

static bool invoke(struct invoking *invoking, struct error *error)
{
    char target[256];
    if (!target_make(target, sizeof(target), invoking->name, error) ||
        !input_read(invoking, error) ||
        !session_open(&invoking->session, invoking->options->policy, error) ||
        !send(invoking, target, error))
        return false;
    bool has_receipt = http_client_answer_value(&invoking->answer, "s3n-receipt").size > 0;
    if (invoking->answer.status != 200 && !has_receipt)
        return session_error_of(&invoking->session, &invoking->answer, error);
    if (!receipt_check(invoking, error))
        return false;
    if (invoking->options->receipt != NULL && !receipt_keep(invoking, error))
        return error_within(error, "keep the receipt");
    if (invoking->answer.status != 200)
        return failure_take(invoking, error);
    if (invoking->cli->json)
        return show_json(invoking, error);
    return cli_write(buffer_view(&invoking->answer.body), error);
}

static bool invoke_run(struct cli *cli, const void *options,
                       const struct option_arguments *arguments, struct error *error)
{
    struct invoking invoking = { .cli = cli, .options = options, .name = arguments->items[0] };
    session_init(&invoking.session);
    buffer_init(&invoking.input, INPUT_SIZE_MAX);
    bool invoked = invoke(&invoking, error);
    if (!invoked) {
        session_show_refusal(&invoking.session, cli);
        bool has_answer = invoking.answer.status != 0;
        cli_hint(cli,
                 error->code == ERROR_NOT_FOUND && has_answer && invoking.session.hint[0] == '\0'
                     ? "`s3n ls` lists your applications and their functions"
                     : invoking.session.hint);
    }
    http_client_answer_done(&invoking.answer);
    buffer_done(&invoking.input);
    session_done(&invoking.session);
    return invoked;
}

const struct verb verb_invoke = { .name = "invoke",
                                  .summary = "call a function and check its receipt",
                                  .table = &table,
                                  .options_size = sizeof(struct invoke),
                                  .run = invoke_run };
