/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/kbs.h"

#include "attest/eat/cmw.h"
#include "core/json_reader.h"
#include "core/json_writer.h"
#include "crypto/base64.h"
#include "keys/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RESOURCE_PATH "/kbs/v0/resource/"

enum kbs_state {
    KBS_STATE_NEW,
    KBS_STATE_REQUESTED,
    KBS_STATE_CHALLENGED,
    KBS_STATE_ATTESTED, /* evidence was sent */
    KBS_STATE_ACCEPTED,
    KBS_STATE_DONE
};

struct kbs_session {
    enum kbs_state state;
    const struct platform *platform;
    struct kbs_options options;
    struct jwe_key *key;
    struct buffer jwk;
    char nonce[KBS_NONCE_SIZE_MAX + 1];
    enum hash_kind hash;
};

static const char *const version_names[] = {
    [KBS_VERSION_0_4_0] = "0.4.0", [KBS_VERSION_0_2_0] = "0.2.0"
};

bool kbs_version_parse(enum kbs_version *version, const char *text, struct error *error)
{
    for (size_t i = 0; i < ARRAY_COUNT(version_names); i++) {
        if (strcmp(text, version_names[i]) == 0) {
            *version = (enum kbs_version)i;
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "protocol \"%s\": there are 0.4.0 and 0.2.0",
                     error_quote(bytes_of_string(text)).text);
}

bool kbs_key_parse(enum jwe_kind *kind, const char *text, struct error *error)
{
    static const struct {
        const char *name;
        enum jwe_kind kind;
    } rows[] = { { "p256", JWE_P256 }, { "p521", JWE_P521 }, { "rsa", JWE_RSA } };
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        if (strcmp(text, rows[i].name) == 0) {
            *kind = rows[i].kind;
            return true;
        }
    }
    return error_set(error, ERROR_INVALID, "key \"%s\": there are p256, p521 and rsa",
                     error_quote(bytes_of_string(text)).text);
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t c = name.data[i];
        if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9') &&
            c != '-' && c != '_' && c != '.')
            return false;
    }
    return name.size > 0 && name.size <= KBS_NAME_SIZE_MAX && !bytes_equal_string(name, ".") &&
           !bytes_equal_string(name, "..");
}

bool kbs_resource_check(const char *resource, struct error *error)
{
    struct bytes rest = bytes_of_string(resource);
    for (unsigned i = 0; i < 3; i++) {
        size_t end = bytes_find(rest, '/');
        if (!is_name(bytes_part(rest, 0, end)) || (end == rest.size) != (i == 2))
            return error_set(error, ERROR_INVALID,
                             "resource \"%s\" is not repository/type/tag of letters, digits, "
                             "\"-\", \"_\" and \".\"",
                             error_quote(bytes_of_string(resource)).text);
        rest = bytes_part(rest, end + 1, rest.size);
    }
    return true;
}

bool kbs_session_new(struct kbs_session **session, const struct platform *platform,
                     const struct kbs_options *options, struct error *error)
{
    if (!kbs_resource_check(options->resource, error))
        return false;
    AUTO(kbs_session) struct kbs_session *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a handshake");
    made->platform = platform;
    made->options = *options;
    buffer_init(&made->jwk, KBS_BODY_SIZE_MAX);
    if (!jwe_key_generate(&made->key, options->key,
                          options->key == JWE_RSA ? JWE_RSA_OAEP_256 : JWE_ECDH_ES_A256KW, error) ||
        !jwe_key_write_public(&made->jwk, made->key, error))
        return error_within(error, "key broker");
    *session = TAKE(made);
    return true;
}

void kbs_session_free(struct kbs_session *session)
{
    if (session == NULL)
        return;
    jwe_key_free(session->key);
    buffer_done(&session->jwk);
    free(session);
}

static bool step(struct kbs_session *session, enum kbs_state from, struct error *error)
{
    if (session->state != from)
        return error_set(error, ERROR_INTERNAL, "a step of the broker's handshake is out of order");
    session->state = (enum kbs_state)(from + 1);
    return true;
}

/* ---- what comes from the platform ---- */

enum kbs_tee {
    KBS_TEE_TDX,
    KBS_TEE_SGX,
    KBS_TEE_SAMPLE
};
static const char *const tee_names[] = {
    [KBS_TEE_TDX] = "tdx", [KBS_TEE_SGX] = "sgx", [KBS_TEE_SAMPLE] = "sample"
};

static bool tee_of(enum kbs_tee *tee, const struct kbs_session *session, struct error *error)
{
    const char *name = session->platform == NULL ? "" : session->platform->name;
    if (session->options.is_sample)
        *tee = KBS_TEE_SAMPLE;
    else if (strcmp(name, "tdx") == 0 || strcmp(name, "sim") == 0)
        *tee = KBS_TEE_TDX;
    else if (strcmp(name, "sgx") == 0)
        *tee = KBS_TEE_SGX;
    else
        return error_set(error, ERROR_UNSUPPORTED, "no key broker takes evidence of %s from us",
                         name);
    return true;
}

static void write_sample(struct json_writer *json, const struct digest64 *report_data, size_t size)
{
    char text[96];
    base64_encode(text, bytes_of(report_data->bytes, size));
    json_write_object_begin(json);
    json_write_name(json, "report_data");
    json_write_string(json, text);
    json_write_name(json, "svn");
    json_write_string(json, "1");
    json_write_object_end(json);
}

/* The evidence alone, when it came wrapped with its collateral; views into `source` or `space`. */
static bool evidence_unwrap(struct bytes *evidence, struct bytes source, uint8_t *space,
                            struct error *error)
{
    struct cmw cmw;
    struct attest_collateral collateral = { 0 };
    *evidence = source;
    return !cmw_is_wrapper(source) ||
           (cmw_read(&cmw, source, space, PLATFORM_EVIDENCE_MAX, error) &&
            cmw_to_evidence(&cmw, evidence, &collateral, error));
}

static bool write_quote(struct json_writer *json, const struct platform *platform,
                        const struct digest64 *report_data, struct error *error)
{
    static uint8_t space[PLATFORM_EVIDENCE_MAX];
    static char text[PLATFORM_EVIDENCE_MAX / 3 * 4 + 8];
    AUTO_BUFFER struct buffer source;
    struct bytes evidence;
    buffer_init(&source, PLATFORM_EVIDENCE_MAX);
    if (!platform->evidence(platform->context, report_data, &source, error) ||
        !evidence_unwrap(&evidence, buffer_view(&source), space, error))
        return error_within(error, "evidence");
    base64_encode(text, evidence);
    json_write_object_begin(json);
    json_write_name(json, "quote");
    json_write_string(json, text);
    json_write_object_end(json);
    return true;
}

/* ---- what is sent ---- */

/* Appends what the callback wrote. */
static bool append(struct buffer *body, const struct writer *writer, struct error *error)
{
    if (!writer->failed)
        buffer_append(body, writer_view(writer));
    return (!writer->failed && !body->failed) ||
           error_set(error, ERROR_LIMIT, "too long a message for the key broker");
}

bool kbs_write_request(struct buffer *body, struct kbs_session *session, struct error *error)
{
    static const char *const hashes[] = { "sha256", "sha384", "sha512" };
    uint8_t text[512];
    enum kbs_tee tee;
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    if (!tee_of(&tee, session, error) || !step(session, KBS_STATE_NEW, error))
        return false;
    json_write_object_begin(&json);
    json_write_name(&json, "extra-params");
    json_write_object_begin(&json);
    json_write_name(&json, "supported-hash-algorithms");
    json_write_array_begin(&json);
    for (size_t i = 0; i < ARRAY_COUNT(hashes); i++)
        json_write_string(&json, hashes[i]);
    json_write_array_end(&json);
    json_write_object_end(&json);
    json_write_name(&json, "tee");
    json_write_string(&json, tee_names[tee]);
    json_write_name(&json, "version");
    json_write_string(&json, version_names[session->options.version]);
    json_write_object_end(&json);
    return append(body, &writer, error);
}

/* Canonical: members in order, nothing in them that needs an escape. */
static void write_runtime_data(struct json_writer *json, const struct kbs_session *session,
                               bool has_additional)
{
    json_write_object_begin(json);
    if (has_additional) {
        json_write_name(json, "additional-evidence");
        json_write_string(json, "");
    }
    json_write_name(json, "nonce");
    json_write_string(json, session->nonce);
    json_write_name(json, "tee-pubkey");
    json_write_raw(json, buffer_view(&session->jwk));
    json_write_object_end(json);
}

static bool report_data_make(struct digest64 *report_data, size_t *size,
                             const struct kbs_session *session, struct error *error)
{
    uint8_t text[KBS_RUNTIME_SIZE_MAX];
    struct writer writer = writer_into(text, sizeof(text));
    struct json_writer json = json_writer_into(&writer);
    write_runtime_data(&json, session, session->options.version == KBS_VERSION_0_4_0);
    if (writer.failed)
        return error_set(error, ERROR_LIMIT, "too long a nonce and key");
    struct bytes data = writer_view(&writer);
    *report_data = (struct digest64){ 0 };
    switch (session->hash) {
    case HASH_SHA256: {
        struct digest32 digest = sha256_of(data);
        memcpy(report_data->bytes, digest.bytes, *size = sizeof(digest.bytes));
        break;
    }
    case HASH_SHA384: {
        struct digest48 digest = sha384_of(data);
        memcpy(report_data->bytes, digest.bytes, *size = sizeof(digest.bytes));
        break;
    }
    case HASH_SHA512:
        *report_data = sha512_of(data);
        *size = sizeof(report_data->bytes);
        break;
    }
    return true;
}

static bool write_evidence(struct json_writer *json, const struct kbs_session *session,
                           struct error *error)
{
    struct digest64 report_data;
    size_t size;
    enum kbs_tee tee;
    if (!tee_of(&tee, session, error) || !report_data_make(&report_data, &size, session, error))
        return false;
    if (tee != KBS_TEE_SAMPLE)
        return write_quote(json, session->platform, &report_data, error);
    write_sample(json, &report_data, size);
    return true;
}

static bool write_attestation(struct json_writer *json, const struct kbs_session *session,
                              struct error *error)
{
    bool is_current = session->options.version == KBS_VERSION_0_4_0;
    json_write_object_begin(json);
    if (is_current) {
        json_write_name(json, "runtime-data");
        write_runtime_data(json, session, false);
    }
    json_write_name(json, "tee-evidence");
    if (is_current) {
        json_write_object_begin(json);
        json_write_name(json, "additional_evidence");
        json_write_string(json, "");
        json_write_name(json, "primary_evidence");
    }
    if (!write_evidence(json, session, error))
        return false;
    if (is_current) {
        json_write_object_end(json);
    } else {
        json_write_name(json, "tee-pubkey");
        json_write_raw(json, buffer_view(&session->jwk));
    }
    json_write_object_end(json);
    return true;
}

bool kbs_write_attestation(struct buffer *body, struct kbs_session *session, struct error *error)
{
    if (!step(session, KBS_STATE_CHALLENGED, error))
        return false;
    uint8_t *text = malloc(KBS_BODY_SIZE_MAX);
    if (text == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for evidence");
    struct writer writer = writer_into(text, KBS_BODY_SIZE_MAX);
    struct json_writer json = json_writer_into(&writer);
    bool done = write_attestation(&json, session, error) && append(body, &writer, error);
    free(text);
    return done;
}

/* ---- what comes back ---- */

/* The "detail" of an ErrorInformation, quoted; empty when there is none. */
static struct quoted detail_of(struct bytes body)
{
    struct json_reader json;
    struct json_text name, detail = { 0 };
    char text[256];
    size_t size = 0;
    json_reader_init(&json, body);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (json_text_equal(name, "detail"))
            detail = json_read_string(&json);
        else
            json_skip(&json);
    }
    /* a long one is cut where it stands */
    if (!json_read_end(&json) || !json_text_decode(detail, text, sizeof(text), &size))
        return error_quote(detail.raw.size > 0 && !json.failed ? detail.raw : (struct bytes){ 0 });
    return error_quote(bytes_of(text, size));
}

static bool status_check(int status, struct bytes body, struct error *error)
{
    enum error_code code = status == 401   ? ERROR_UNAUTHENTICATED
                           : status == 403 ? ERROR_DENIED
                           : status == 404 ? ERROR_NOT_FOUND
                                           : ERROR_UNAVAILABLE;
    if (status == 200)
        return true;
    struct quoted detail = detail_of(body);
    return error_set(error, code, "the key broker answers %d%s%s", status,
                     detail.text[0] != '\0' ? ": " : "", detail.text);
}

static bool malformed(struct error *error, const char *what)
{
    return error_set(error, ERROR_INVALID, "the key broker's %s is not as the protocol has it",
                     what);
}

/* Printable ASCII that JSON writes as it is. */
static bool nonce_take(char target[KBS_NONCE_SIZE_MAX + 1], struct json_text text)
{
    size_t size;
    if (!json_text_decode(text, target, KBS_NONCE_SIZE_MAX, &size) || size == 0)
        return false;
    for (size_t i = 0; i < size; i++) {
        if (target[i] < ' ' || target[i] > '~' || target[i] == '"' || target[i] == '\\')
            return false;
    }
    target[size] = '\0';
    return true;
}

/* "extra-params": anything; of an object the hash is taken. */
static void read_parameters(struct json_reader *json, enum hash_kind *hash)
{
    struct json_text name;
    if (json_peek(json) != JSON_KIND_OBJECT) {
        json_skip(json);
        return;
    }
    json_enter_object(json);
    while (json_next_member(json, &name)) {
        if (!json_text_equal(name, "selected-hash-algorithm")) {
            json_skip(json);
            continue;
        }
        struct json_text value = json_read_string(json);
        if (json_text_equal(value, "sha256") || json_text_equal(value, "SHA256"))
            *hash = HASH_SHA256;
        else if (json_text_equal(value, "sha512") || json_text_equal(value, "SHA512"))
            *hash = HASH_SHA512;
        else if (!json_text_equal(value, "sha384") && !json_text_equal(value, "SHA384"))
            json_reader_fail(json);
    }
}

bool kbs_read_challenge(struct kbs_session *session, int status, struct bytes body,
                        struct error *error)
{
    struct json_reader json;
    struct json_text name, nonce = { 0 };
    enum hash_kind hash = HASH_SHA384;
    if (!step(session, KBS_STATE_REQUESTED, error) || !status_check(status, body, error))
        return false;
    json_reader_init(&json, body);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (json_text_equal(name, "nonce"))
            nonce = json_read_string(&json);
        else if (json_text_equal(name, "extra-params"))
            read_parameters(&json, &hash);
        else
            json_skip(&json);
    }
    if (!json_read_end(&json) || !nonce_take(session->nonce, nonce))
        return malformed(error, "challenge");
    session->hash = hash;
    return true;
}

/* "exp" of a JWT; true without one. */
static bool token_read(struct bytes token, int64_t *expires_s)
{
    uint8_t claims[KBS_TOKEN_SIZE_MAX];
    size_t size, first = bytes_find(token, '.');
    struct bytes rest = bytes_part(token, first + 1, token.size);
    size_t second = bytes_find(rest, '.');
    struct json_reader json;
    struct json_text name;
    if (first == 0 || second == 0 || second == rest.size || token.size > KBS_TOKEN_SIZE_MAX ||
        !base64url_decode(claims, sizeof(claims), &size, bytes_part(rest, 0, second)))
        return false;
    *expires_s = INT64_MAX;
    json_reader_init(&json, bytes_of(claims, size));
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (json_text_equal(name, "exp"))
            *expires_s = json_read_integer(&json, 0, KEYS_NUMBER_MAX);
        else
            json_skip(&json);
    }
    return json_read_end(&json);
}

bool kbs_read_token(struct kbs_session *session, int status, struct bytes body, int64_t now_s,
                    struct error *error)
{
    struct json_reader json;
    struct json_text name, token = { 0 };
    int64_t expires_s;
    if (!step(session, KBS_STATE_ATTESTED, error) || !status_check(status, body, error))
        return false;
    json_reader_init(&json, body);
    json_enter_object(&json);
    while (json_next_member(&json, &name)) {
        if (json_text_equal(name, "token"))
            token = json_read_string(&json);
        else
            json_skip(&json);
    }
    if (!json_read_end(&json) || token.has_escapes || !token_read(token.raw, &expires_s))
        return malformed(error, "token");
    if (expires_s <= now_s)
        return error_set(error, ERROR_UNVERIFIED, "the key broker's token has expired");
    return true;
}

bool kbs_read_resource(struct secret_buffer *resource, struct kbs_session *session, int status,
                       struct bytes body, struct error *error)
{
    if (!step(session, KBS_STATE_ACCEPTED, error) || !status_check(status, body, error))
        return false;
    return jwe_open(resource, session->key, body, error) || error_within(error, "key broker");
}

/* ---- the whole ---- */

/* One request and its answer, in one buffer after the other. */
struct exchange {
    const struct kbs_carrier *carrier;
    struct buffer body, answer;
    int status;
};

static void exchange_done(struct exchange *exchange)
{
    buffer_done(&exchange->body);
    buffer_done(&exchange->answer);
}

static bool carry(struct exchange *exchange, const char *path, struct error *error)
{
    buffer_clear(&exchange->answer);
    return exchange->carrier->exchange(exchange->carrier->context, path,
                                       buffer_view(&exchange->body), &exchange->status,
                                       &exchange->answer, error) ||
           error_within(error, "key broker");
}

static bool attest(struct kbs_session *session, struct exchange *exchange,
                   const struct clock *clock, struct error *error)
{
    if (!kbs_write_request(&exchange->body, session, error) ||
        !carry(exchange, "/kbs/v0/auth", error) ||
        !kbs_read_challenge(session, exchange->status, buffer_view(&exchange->answer), error))
        return false;
    buffer_clear(&exchange->body);
    if (!kbs_write_attestation(&exchange->body, session, error) ||
        !carry(exchange, "/kbs/v0/attest", error))
        return false;
    buffer_clear(&exchange->body);
    return kbs_read_token(session, exchange->status, buffer_view(&exchange->answer),
                          (int64_t)(clock_realtime_ns(clock) / 1000000000), error);
}

bool kbs_fetch(struct secret_buffer *resource, const struct platform *platform,
               const struct kbs_options *options, const struct kbs_carrier *carrier,
               const struct clock *clock, struct error *error)
{
    char path[sizeof(RESOURCE_PATH) + 3 * (KBS_NAME_SIZE_MAX + 1)];
    AUTO(kbs_session) struct kbs_session *session = NULL;
    __attribute__((cleanup(exchange_done))) struct exchange exchange = { .carrier = carrier };
    buffer_init(&exchange.body, KBS_BODY_SIZE_MAX);
    buffer_init(&exchange.answer, KBS_BODY_SIZE_MAX);
    if (!kbs_session_new(&session, platform, options, error) ||
        !attest(session, &exchange, clock, error))
        return false;
    snprintf(path, sizeof(path), RESOURCE_PATH "%s", options->resource);
    return carry(&exchange, path, error) && kbs_read_resource(resource, session, exchange.status,
                                                              buffer_view(&exchange.answer), error);
}
