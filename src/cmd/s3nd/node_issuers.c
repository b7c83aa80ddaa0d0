/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/node_issuers.h"
#include "access/jwt.h"
#include "base/file.h"
#include "base/log.h"
#include "cmd/s3nd/api_trees.h"
#include "cmd/s3nd/key_fetcher.h"
#include "cmd/s3nd/node.h"
#include "core/reader.h"
#include "crypto/base64.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* A route's `auth`, in manifest and gateway. */
_Static_assert((int)ROUTE_AUTH_TOKEN == (int)GATEWAY_AUTH_TOKEN &&
                   (int)ROUTE_AUTH_OWNER == (int)GATEWAY_AUTH_OWNER &&
                   (int)ROUTE_AUTH_JWT == (int)GATEWAY_AUTH_JWT,
               "the same words");

struct issuer {
    struct issuer *next;
    struct node *node;
    char name[JWKS_URL_SIZE_MAX + 1];
    char given_url[JWKS_URL_SIZE_MAX + 1]; /* the manifest's; empty: discovered */
    char keys_url[JWKS_URL_SIZE_MAX + 1];  /* where its keys are; empty: not known yet */
    struct jwks *keys;                     /* NULL: none yet */
    int64_t fetched_s;                     /* the keys */
    int64_t asked_s;                       /* the last time that asking began */
    int64_t used_s;
    unsigned failures; /* in a row */
    bool is_asking;
    int answer;
    struct error error; /* of the last failure */
};

struct node_issuers {
    struct node *node;
    struct issuer *list;
    size_t count;
};

bool node_issuers_new(struct node_issuers **issuers, struct node *node, struct error *error)
{
    *issuers = calloc(1, sizeof(**issuers));
    if (*issuers == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for issuers");
    (*issuers)->node = node;
    return true;
}

static void issuer_free(struct issuer *issuer)
{
    file_close(&issuer->answer);
    free(issuer->keys);
    free(issuer);
}

void node_issuers_free(struct node_issuers *issuers)
{
    while (issuers != NULL && issuers->list != NULL) {
        struct issuer *issuer = issuers->list;
        issuers->list = issuer->next;
        issuer_free(issuer);
    }
    free(issuers);
}

/* --- asking --- */

static void ask(struct issuer *issuer);

static void failed(struct issuer *issuer, const struct error *error)
{
    issuer->failures++;
    issuer->error = *error;
    /* a configuration that moved its keys is looked at again */
    if (issuer->given_url[0] == '\0')
        issuer->keys_url[0] = '\0';
    LOG_LIMITED(LOG_LEVEL_WARN, "issuer's keys", "issuer", issuer->name, "error", error->text,
                NULL);
}

static bool body_take(int file, struct buffer *body, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    AUTO_JSON json_t *root = NULL;
    buffer_init(&text, KEY_FETCHER_ANSWER_SIZE_MAX);
    if (lseek(file, 0, SEEK_SET) != 0 || !file_read_descriptor(&text, file, error) ||
        !json_parse(&root, buffer_view(&text), error))
        return error_set(error, ERROR_UNAVAILABLE, "the process that asks answered nonsense");
    const char *why = json_string_value(json_object_get(root, "error"));
    const json_t *encoded = json_object_get(root, "body");
    if (why != NULL || !json_is_string(encoded))
        return error_set(error, ERROR_UNAVAILABLE, "%s", why == NULL ? "no answer" : why);
    uint8_t *space = buffer_reserve(body, JWKS_SIZE_MAX);
    size_t size = 0;
    if (space == NULL ||
        !base64_decode(space, JWKS_SIZE_MAX, &size,
                       bytes_of(json_string_value(encoded), json_string_length(encoded))))
        return error_set(error, ERROR_UNAVAILABLE, "the process that asks answered nonsense");
    body->size += size;
    return true;
}

static bool keys_take(struct issuer *issuer, struct bytes body, struct error *error)
{
    struct jwks *keys = malloc(sizeof(*keys));
    if (keys == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for keys");
    if (!jwks_parse(keys, body, error)) {
        free(keys);
        return false;
    }
    free(issuer->keys);
    issuer->keys = keys;
    issuer->fetched_s = node_now_s();
    issuer->failures = 0;
    issuer->error = (struct error){ 0 };
    log_line(LOG_LEVEL_INFO, "issuer's keys are there", "issuer", issuer->name, NULL);
    return true;
}

/* The configuration first, unless it is known where the keys are. */
static void answered(void *context, struct ipc_message *message, const struct error *failure)
{
    struct issuer *issuer = context;
    struct error error = { 0 };
    AUTO_BUFFER struct buffer body;
    buffer_init(&body, JWKS_SIZE_MAX);
    bool was_discovery = issuer->keys_url[0] == '\0', done = false;
    issuer->is_asking = false;
    if (message == NULL) {
        error = *failure;
    } else {
        struct reader reader = reader_of(message->payload);
        uint32_t status = read_u32_le(&reader);
        if (!read_end(&reader) || status != 0)
            error_set(&error, ERROR_UNAVAILABLE, "the process that asks failed (%u)",
                      (unsigned)status);
        else
            done = body_take(issuer->answer, &body, &error) &&
                   (was_discovery ? discovery_parse(issuer->keys_url, buffer_view(&body),
                                                    issuer->name, &error)
                                  : keys_take(issuer, buffer_view(&body), &error));
    }
    file_close(&issuer->answer);
    if (!done)
        failed(issuer, &error);
    else if (was_discovery)
        ask(issuer);
    if (!issuer->is_asking)
        gateway_keys_changed(issuer->node->gateway);
}

static bool start(struct issuer *issuer, struct error *error)
{
    char url[2 * JWKS_URL_SIZE_MAX];
    size_t size = strlen(issuer->name);
    AUTO_CLOSE int asked = memfd_create("url", MFD_CLOEXEC);
    AUTO_CLOSE int answer = memfd_create("keys", MFD_CLOEXEC);
    if (issuer->keys_url[0] != '\0')
        snprintf(url, sizeof(url), "%s", issuer->keys_url);
    else
        snprintf(url, sizeof(url), "%.*s/.well-known/openid-configuration",
                 (int)(size - (issuer->name[size - 1] == '/')), issuer->name);
    if (asked < 0 || answer < 0)
        return error_system(error, "file for keys");
    int files[] = { asked, answer };
    if (!file_write_all(asked, bytes_of_string(url), error) || lseek(asked, 0, SEEK_SET) != 0 ||
        !supervisor_request(issuer->node->supervisor, SUPERVISOR_KEYS, (struct bytes){ 0 }, files,
                            ARRAY_COUNT(files), answered, issuer, error))
        return error_within(error, "ask for keys");
    issuer->answer = answer;
    answer = -1;
    return true;
}

static void ask(struct issuer *issuer)
{
    struct error error;
    issuer->asked_s = node_now_s();
    issuer->is_asking = start(issuer, &error);
    if (!issuer->is_asking)
        failed(issuer, &error);
}

/* Not too often: the more failures, the longer the pause. */
static void ask_if_allowed(struct issuer *issuer, int64_t pause_s)
{
    int64_t retry_s = issuer->failures == 0 ? 0 : 1ll << MIN(issuer->failures, 9u);
    pause_s = MAX(pause_s, MIN(retry_s, (int64_t)ISSUER_RETRY_S_MAX));
    int64_t since_s = node_now_s() - issuer->asked_s;
    if (!issuer->is_asking && (issuer->asked_s == 0 || since_s >= pause_s || since_s < 0))
        ask(issuer);
}

/* --- which --- */

static void evict(struct node_issuers *issuers)
{
    struct issuer **oldest = NULL;
    for (struct issuer **at = &issuers->list; *at != NULL; at = &(*at)->next) {
        if (!(*at)->is_asking && (oldest == NULL || (*at)->used_s < (*oldest)->used_s))
            oldest = at;
    }
    if (issuers->count < ISSUER_COUNT_MAX || oldest == NULL)
        return;
    struct issuer *gone = *oldest;
    *oldest = gone->next;
    issuers->count--;
    issuer_free(gone);
}

static struct issuer *issuer_of(struct node_issuers *issuers, const struct manifest_jwt *jwt)
{
    const char *url = jwt->jwks_url == NULL ? "" : jwt->jwks_url;
    for (struct issuer *at = issuers->list; at != NULL; at = at->next) {
        if (strcmp(at->name, jwt->issuer) == 0 && strcmp(at->given_url, url) == 0)
            return at;
    }
    evict(issuers);
    struct issuer *made = issuers->count >= ISSUER_COUNT_MAX ? NULL : calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->node = issuers->node;
    made->answer = -1;
    snprintf(made->name, sizeof(made->name), "%s", jwt->issuer);
    snprintf(made->given_url, sizeof(made->given_url), "%s", url);
    snprintf(made->keys_url, sizeof(made->keys_url), "%s", url);
    made->next = issuers->list;
    issuers->list = made;
    issuers->count++;
    return made;
}

void node_issuers_expect(struct node_issuers *issuers, const struct manifest *manifest)
{
    struct issuer *issuer =
        manifest->jwt.issuer == NULL ? NULL : issuer_of(issuers, &manifest->jwt);
    if (issuer == NULL)
        return;
    issuer->used_s = node_now_s();
    if (issuer->keys == NULL)
        ask_if_allowed(issuer, 0);
}

/* The key that the token names, from keys that are not too old. */
static bool key_find(struct issuer *issuer, const struct jwt *token, const struct jwks_key **key,
                     bool *is_coming, struct error *error)
{
    int64_t age_s = node_now_s() - issuer->fetched_s;
    issuer->used_s = node_now_s();
    if (issuer->keys == NULL || age_s >= ISSUER_KEPT_S || age_s < 0) {
        ask_if_allowed(issuer, 0);
        *is_coming = issuer->is_asking;
        return error_set(error, ERROR_UNAVAILABLE, "the issuer's keys can't be had yet%s%s",
                         issuer->error.text[0] == '\0' ? "" : ": ", issuer->error.text);
    }
    if (age_s >= ISSUER_FRESH_S)
        ask_if_allowed(issuer, ISSUER_PAUSE_S);
    *key = jwks_find(issuer->keys, token->algorithm, token->key_id);
    if (*key != NULL)
        return true;
    ask_if_allowed(issuer, ISSUER_PAUSE_S);
    *is_coming = issuer->is_asking;
    return issuer->is_asking
               ? error_set(error, ERROR_UNAVAILABLE, "the issuer's keys are being fetched anew")
               : error_set(error, ERROR_UNAUTHENTICATED,
                           "the token's key is none of the issuer's (`kid`, `alg`)");
}

static bool judge(struct node *node, const struct manifest_jwt *jwt, const struct jwt *token,
                  bool *is_coming, struct error *error)
{
    const struct jwt_policy policy = { jwt->issuer, jwt->audiences, jwt->audience_count,
                                       jwt->algorithms, jwt->leeway_s };
    const struct jwks_key *key;
    /* what needs no key first: such tokens have nobody asked for anything */
    if (!jwt_check(token, &policy, node_now_s(), error))
        return false;
    struct issuer *issuer = issuer_of(node->issuers, jwt);
    if (issuer == NULL)
        return error_set(error, ERROR_BUSY, "this node has too many issuers");
    return key_find(issuer, token, &key, is_coming, error) &&
           jwks_verify(key, token->signed_bytes, bytes_of(token->signature, token->signature_size),
                       error);
}

bool node_jwt_check(void *context, const struct gateway_call *call, struct bytes token,
                    struct gateway_jwt *jwt, struct error *error)
{
    struct node *node = context;
    AUTO_JWT struct jwt parsed = { 0 };
    AUTO(application) struct application *application = NULL;
    if (!jwt_parse(&parsed, token, error) ||
        !registry_version_get(node->registry, name_of(call->application).text, call->version,
                              &application, error))
        return false;
    if (application->manifest->jwt.issuer == NULL)
        return error_set(error, ERROR_INTERNAL, "no issuer is named");
    if (!judge(node, &application->manifest->jwt, &parsed, &jwt->is_coming, error) ||
        !json_canonical(jwt->claims, parsed.claims, error))
        return false;
    struct bytes name = jwt_subject(&parsed);
    snprintf(jwt->subject, JWT_SUBJECT_SIZE_MAX + 1, "%.*s", (int)name.size,
             (const char *)name.data);
    return true;
}
