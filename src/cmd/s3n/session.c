/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3n/session.h"
#include "access/token.h"
#include "base/terminal.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "crypto/random.h"
#include "keys/session.h"
#include "net/signature.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum {
    REQUEST_FIELD_COUNT_MAX = 8,
    SESSION_TRY_COUNT_MAX = 3
};

void session_init(struct session *session)
{
    *session = (struct session){ 0 };
    profile_init(&session->profile);
    trust_init(&session->trust);
    collateral_init(&session->gathered);
    buffer_init(&session->evidence, EVIDENCE_SIZE_MAX);
}

void session_done(struct session *session)
{
    http_client_free(session->client);
    ecdsa_key_free(session->key);
    profile_done(&session->profile);
    trust_done(&session->trust);
    collateral_done(&session->gathered);
    collateral_source_done(&session->source);
    buffer_done(&session->evidence);
    *session = (struct session){ 0 };
}

/* --- evidence --- */

struct nonce_text {
    char text[65];
};

static struct nonce_text nonce_make(struct nonce32 *nonce)
{
    struct nonce_text made;
    random_bytes(nonce->bytes, sizeof(nonce->bytes));
    hex_encode(made.text, BYTES_OF(nonce->bytes));
    return made;
}

/* Asks whoever answers there, and learns which TLS key they proved. */
static bool evidence_ask(struct http_client *client, struct nonce32 *nonce,
                         struct attestation *attestation, struct digest32 *peer,
                         struct error *error)
{
    char target[128];
    snprintf(target, sizeof(target), "/.well-known/s3n/attestation?nonce=%s",
             nonce_make(nonce).text);
    struct http_client_request request = { .method = HTTP_METHOD_GET,
                                           .target = target,
                                           .body_size_max = ATTESTATION_SIZE_MAX };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    if (!http_client_request(client, &request, &answer, error))
        return false;
    if (answer.status != 200)
        return error_set(error, ERROR_UNAVAILABLE,
                         "the node answered %d when asked for evidence; is it an S3N node?",
                         answer.status);
    *peer = answer.peer_key;
    return attestation_parse(attestation, buffer_view(&answer.body), error);
}

/* The log of a keyset that tells of one, taken after the evidence: it covers what is in it. */
static bool events_ask(struct http_client *client, struct attestation *attestation,
                       struct error *error)
{
    struct keyset keyset;
    struct error malformed;
    struct http_client_request request = { .method = HTTP_METHOD_GET,
                                           .target = "/.well-known/s3n/events",
                                           .body_size_max = EVENTS_SIZE_MAX };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    buffer_clear(&attestation->events);
    /* What is no keyset is for verification to refuse. */
    if (!keyset_parse(&keyset, buffer_view(&attestation->keyset), &malformed) ||
        keyset.events.count == 0)
        return true;
    if (!http_client_request(client, &request, &answer, error))
        return false;
    if (answer.status != 200)
        return error_set(error, ERROR_UNVERIFIED,
                         "the node answered %d when asked for its event log", answer.status);
    buffer_append(&attestation->events, buffer_view(&answer.body));
    return !attestation->events.failed ||
           error_set(error, ERROR_NO_MEMORY, "no memory for the event log");
}

/* The node's signature over this session's exporter: who answers holds the receipt key, and this
 * session ends there.  On success the client uses no other session. */
static bool session_bind(struct session *session, const struct digest32 *keyset_digest,
                         const struct keyset *keyset, struct error *error)
{
    char target[128];
    struct nonce32 nonce;
    struct session_exporter exporter;
    struct ecdsa_signature signature;
    struct digest32 stated;
    snprintf(target, sizeof(target), "/.well-known/s3n/session?nonce=%s", nonce_make(&nonce).text);
    struct http_client_request request = { .method = HTTP_METHOD_GET,
                                           .target = target,
                                           .body_size_max = SESSION_ANSWER_SIZE_MAX };
    AUTO_HTTP_CLIENT_ANSWER struct http_client_answer answer = { 0 };
    AUTO_JSON json_t *json = NULL;
    http_client_bind(session->client, NULL);
    if (!http_client_request(session->client, &request, &answer, error))
        return false;
    if (answer.status != 200)
        return error_set(error, ERROR_UNAVAILABLE,
                         "the node answered %d when asked to vouch for the session", answer.status);
    if (!json_parse(&json, buffer_view(&answer.body), error) ||
        !json_get_hex(json, "keyset_digest", stated.bytes, sizeof(stated.bytes), error) ||
        !json_get_hex(json, "signature", signature.bytes, sizeof(signature.bytes), error))
        return error_within(error, "session");
    if (!digest32_equal(&stated, keyset_digest))
        return error_set(error, ERROR_UNVERIFIED, "the node has another keyset now");
    memcpy(exporter.bytes, answer.exporter, sizeof(exporter.bytes));
    if (!session_verify(&keyset->receipt_key, &signature, &exporter, keyset_digest, &nonce, error))
        return false;
    http_client_bind(session->client, answer.exporter);
    session->is_bound = true;
    return true;
}

/* What can't be had is left to the judgement to miss. */
static void evidence_complete(struct session *session, struct attestation *attestation)
{
    session->unfetched = (struct error){ 0 };
    if (session->source.is_used || session->source.is_always) {
        collateral_done(&session->gathered);
        (void)!collateral_complete(&session->gathered, &attestation->evidence,
                                   &session->source.options, &session->unfetched);
    }
    buffer_clear(&session->evidence);
    buffer_append(&session->evidence, buffer_view(&attestation->evidence));
}

static bool evidence_check(struct session *session, struct attestation *attestation,
                           struct error *error)
{
    struct nonce32 nonce;
    struct digest32 peer;
    struct verify_result *result = &session->seen;
    struct verify_options options = { .now_s = (int64_t)time(NULL) };
    trust_apply(&session->trust, &options);
    *result = (struct verify_result){ 0 };
    http_client_bind(session->client, NULL);
    session->is_bound = false;
    if (!evidence_ask(session->client, &nonce, attestation, &peer, error) ||
        !events_ask(session->client, attestation, error))
        return false;
    evidence_complete(session, attestation);
    if (!verify_attestation(result, attestation, &nonce, &options, error))
        return false;
    struct digest32 tls = ecdsa_public_id(&result->keyset.tls_key);
    if (!digest32_equal(&tls, &peer))
        return error_set(error, ERROR_UNVERIFIED,
                         "the evidence is of a node with another TLS key: somebody stands between");
    return session_bind(session, &result->keyset_digest, &result->keyset, error);
}

static void keyset_pin(struct session *session, const struct attestation *attestation)
{
    const struct verify_result *result = &session->seen;
    struct digest32 tls = ecdsa_public_id(&result->keyset.tls_key);
    session->keyset = result->keyset;
    session->keyset_digest = result->keyset_digest;
    buffer_clear(&session->profile.keyset);
    buffer_append(&session->profile.keyset, buffer_view(&attestation->keyset));
    http_client_pin(session->client, &tls);
    session->is_bound = false; /* the next request makes a session of its own */
}

static bool client_make(struct session *session, const struct digest32 *pin, struct error *error)
{
    struct http_client_options options = { .url = session->profile.url,
                                           .pin = pin,
                                           .user_agent = "s3n/" S3N_VERSION };
    return http_client_new(&session->client, &options, error);
}

bool session_look(struct session *session, const char *url, struct error *error)
{
    size_t size = strlen(url);
    while (size > 0 && url[size - 1] == '/')
        size--;
    if (size > PROFILE_URL_SIZE_MAX)
        return error_set(error, ERROR_USAGE, "the URL is too long");
    snprintf(session->profile.url, sizeof(session->profile.url), "%.*s", (int)size, url);
    AUTO_ATTESTATION struct attestation attestation;
    attestation_init(&attestation);
    if (!client_make(session, NULL, error) || !evidence_check(session, &attestation, error))
        return false;
    keyset_pin(session, &attestation);
    return true;
}

bool session_login(struct session *session, const char *url, struct error *error)
{
    struct profile *profile = &session->profile;
    const struct trust *trust = &session->trust;
    profile->trust_simulated = trust->trust_simulated;
    profile->fetches = session->source.is_used;
    buffer_clear(&profile->policy);
    buffer_append(&profile->policy, buffer_view(&trust->policy_text));
    buffer_clear(&profile->root);
    buffer_append(&profile->root, buffer_view(&trust->root));
    return owner_key_open(&session->key, error) && session_look(session, url, error) &&
           profile_write(profile, error);
}

/* Evidence anew: the node shows another TLS key than the pinned one (renewed, or not the node), or
 * it is to be judged by another policy. */
static bool keyset_renew(struct session *session, struct error *error)
{
    AUTO_ATTESTATION struct attestation attestation;
    attestation_init(&attestation);
    char node[sizeof(session->keyset.node)];
    memcpy(node, session->keyset.node, sizeof(node));
    http_client_free(TAKE(session->client));
    if (!client_make(session, NULL, error) || !evidence_check(session, &attestation, error))
        return false;
    if (strcmp(node, session->seen.keyset.node) != 0) {
        snprintf(session->hint, sizeof(session->hint), "%s",
                 "if that is meant, `s3n login URL` checks and remembers it");
        return error_set(error, ERROR_UNVERIFIED, "another node answers at %s than at login",
                         session->profile.url);
    }
    keyset_pin(session, &attestation);
    return profile_write(&session->profile, error);
}

/* The same because of what the node showed. */
static bool change_take(struct session *session, struct error *error)
{
    return keyset_renew(session, error) ||
           (error->code == ERROR_UNVERIFIED && error_within(error, "the node's key has changed"));
}

/* What the login was told. */
static bool trust_recall(struct session *session, struct error *error)
{
    const struct profile *profile = &session->profile;
    const struct collateral_words words = { .fetch = profile->fetches };
    session->trust.trust_simulated = profile->trust_simulated;
    return collateral_source_open(&session->source, &words, error) &&
           trust_use_policy(&session->trust, "the login's policy", buffer_view(&profile->policy),
                            error) &&
           trust_use_root(&session->trust, "of the login", buffer_view(&profile->root), error);
}

/* From the environment: what is an argument is in everybody's list of processes. */
static bool api_key_take(struct session *session, struct error *error)
{
    const char *text = getenv("S3N_API_KEY");
    struct token_name name;
    if (text == NULL || text[0] == '\0')
        return true;
    session->api_key = text;
    return token_parse(&name, bytes_of_string(text), error) || error_within(error, "S3N_API_KEY");
}

bool session_open(struct session *session, const char *policy, struct error *error)
{
    if (!api_key_take(session, error))
        return false;
    if (!profile_read(&session->profile, error)) {
        snprintf(session->hint, sizeof(session->hint), "%s", "`s3n login URL` comes first");
        return false;
    }
    if (!trust_recall(session, error) ||
        !trust_read_policy(&session->trust, policy, false, error) ||
        !owner_key_open(&session->key, error) ||
        !keyset_parse(&session->keyset, buffer_view(&session->profile.keyset), error))
        return false;
    session->keyset_digest = keyset_digest(buffer_view(&session->profile.keyset));
    struct digest32 tls = ecdsa_public_id(&session->keyset.tls_key);
    if (!client_make(session, &tls, error))
        return false;
    if (policy != NULL)
        return keyset_renew(session, error);
    /* Past its end the keyset vouches for nothing, whatever key is shown. */
    return (int64_t)time(NULL) <= session->keyset.validity.not_after_s ||
           change_take(session, error);
}

bool session_renew(struct session *session, struct error *error)
{
    return change_take(session, error);
}

bool session_attestation(struct session *session, struct attestation *attestation,
                         struct error *error)
{
    if (!evidence_check(session, attestation, error))
        return false;
    return digest32_equal(&session->seen.keyset_digest, &session->keyset_digest) ||
           error_set(error, ERROR_UNAVAILABLE, "the node renewed its keyset just now; try again");
}

/* --- requests --- */

struct signed_fields {
    struct buffer digest, input, value;
};

static void signed_fields_done(struct signed_fields *fields)
{
    buffer_done(&fields->digest);
    buffer_done(&fields->input);
    buffer_done(&fields->value);
}

static bool request_sign(struct session *session, const struct session_request *request,
                         struct http_field *fields, size_t *count, struct signed_fields *memory,
                         struct error *error)
{
    bool has_body = request->method == HTTP_METHOD_PUT || request->method == HTTP_METHOD_POST;
    if (has_body) {
        struct digest32 digest = sha256_of(request->body);
        content_digest_write(&memory->digest, &digest);
        fields[(*count)++] = HTTP_FIELD("content-digest", buffer_view(&memory->digest));
    }
    struct nonce32 nonce;
    struct nonce_text nonce_text = nonce_make(&nonce);
    struct signature_message message = { .method = request->method,
                                         .scheme = BYTES_LITERAL("https"),
                                         .authority = http_client_authority(session->client),
                                         .target = bytes_of_string(request->target),
                                         .fields = fields,
                                         .field_count = *count };
    if (!signature_create(&memory->input, &memory->value, &message, has_body, (int64_t)time(NULL),
                          nonce_text.text, session->key, error))
        return false;
    fields[(*count)++] = HTTP_FIELD("signature-input", buffer_view(&memory->input));
    fields[(*count)++] = HTTP_FIELD("signature", buffer_view(&memory->value));
    return true;
}

static bool request_send(struct session *session, const struct session_request *request,
                         struct http_client_answer *answer, struct error *error)
{
    struct http_field fields[REQUEST_FIELD_COUNT_MAX];
    size_t count = 0;
    __attribute__((cleanup(signed_fields_done))) struct signed_fields memory;
    buffer_init(&memory.digest, 4096);
    buffer_init(&memory.input, 4096);
    buffer_init(&memory.value, 4096);
    if (request->content_type != NULL)
        fields[count++] = HTTP_FIELD("content-type", bytes_of_string(request->content_type));
    if (request->nonce != NULL)
        fields[count++] = HTTP_FIELD("s3n-nonce", bytes_of_string(request->nonce));
    if (request->release != NULL)
        fields[count++] = HTTP_FIELD("s3n-release", bytes_of_string(request->release));
    AUTO_BUFFER struct buffer bearer;
    buffer_init(&bearer, 1024);
    if (request->is_signed && session->api_key != NULL) {
        buffer_format(&bearer, "Bearer %s", session->api_key);
        fields[count++] = HTTP_FIELD("authorization", buffer_view(&bearer));
    } else if (request->is_signed &&
               !request_sign(session, request, fields, &count, &memory, error)) {
        return false;
    }
    struct http_client_request sent = { .method = request->method,
                                        .target = request->target,
                                        .fields = fields,
                                        .field_count = count,
                                        .body = request->body,
                                        .timeout_ms = 400000,
                                        .body_size_max = SESSION_ANSWER_SIZE_MAX,
                                        .progress = request->progress,
                                        .progress_context = request->progress_context };
    return http_client_request(session->client, &sent, answer, error);
}

/* Nothing is sent over a session that the node has not vouched for. */
static bool bound_send(struct session *session, const struct session_request *request,
                       struct http_client_answer *answer, struct error *error)
{
    for (int i = 0; i < SESSION_TRY_COUNT_MAX; i++) {
        if (!session->is_bound &&
            !session_bind(session, &session->keyset_digest, &session->keyset, error))
            return false;
        if (request_send(session, request, answer, error))
            return true;
        if (error->code != ERROR_CONFLICT)
            return false;
        session->is_bound = false; /* the connection was closed in between */
    }
    return error_set(error, ERROR_UNAVAILABLE, "the node closes each session before it is used");
}

bool session_request(struct session *session, const struct session_request *request,
                     struct http_client_answer *answer, struct error *error)
{
    if (bound_send(session, request, answer, error))
        return true;
    if (error->code != ERROR_UNVERIFIED)
        return false;
    return change_take(session, error) && bound_send(session, request, answer, error);
}

static enum error_code code_of_name(const char *name)
{
    for (unsigned code = ERROR_NONE + 1; code <= ERROR_INTERNAL; code++) {
        if (strcmp(name, error_name((enum error_code)code)) == 0)
            return (enum error_code)code;
    }
    return strcmp(name, "function-failed") == 0 ? ERROR_TRAPPED : ERROR_INTERNAL;
}

bool session_error_of(struct session *session, const struct http_client_answer *answer,
                      struct error *error)
{
    AUTO_JSON json_t *root = NULL;
    json_t *object;
    const char *code = "", *message = "";
    struct error malformed;
    session->hint[0] = '\0';
    if (!json_parse(&root, buffer_view(&answer->body), &malformed) ||
        !json_get_object(root, "error", &object, &malformed) ||
        !json_get_string(object, "code", &code, &malformed) ||
        !json_get_string(object, "message", &message, &malformed))
        return error_set(error, ERROR_UNAVAILABLE, "the node answered with status %d",
                         answer->status);
    const char *hint = json_string_value(json_object_get(object, "hint"));
    snprintf(session->hint, sizeof(session->hint), "%s", hint == NULL ? "" : hint);
    error_set(error, code_of_name(code), "%s", message);
    terminal_mask(session->hint); /* a node's words */
    terminal_mask(error->text);
    return false;
}

bool session_call(struct session *session, const struct session_request *request,
                  struct http_client_answer *answer, struct error *error)
{
    if (!session_request(session, request, answer, error))
        return false;
    return (answer->status >= 200 && answer->status < 300) ||
           session_error_of(session, answer, error);
}
