/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/key_fetcher.h"
#include "base/file.h"
#include "base/jail_calls.h"
#include "base/log.h"
#include "cmd/s3nd/errand.h"
#include "cmd/s3nd/key_place.h"
#include "cmd/s3nd/launcher.h"
#include "crypto/base64.h"
#include "crypto/crypto.h"
#include "crypto/trust.h"
#include "net/fetch.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_CLOCKS,
    JAIL_CALLS_HTTP_CLIENT,
    { SCMP_SYS(openat), "libraries look for files; there are none" },
    { SCMP_SYS(open), "the same" },
    { SCMP_SYS(stat), "the same" },
    { SCMP_SYS(access), "the same" },
};
/* clang-format on */

struct key_fetcher {
    const struct config *config;
    char url[JWKS_URL_SIZE_MAX + 1];
    char place[FETCH_PLACE_SIZE];
    bool is_allowed; /* the operator named it: plain HTTP and addresses that are not public too */
    struct buffer authorities;
};

static bool is_issuer_allowed(const struct config *config, const char *url)
{
    for (size_t i = 0; i < config->issuer_count; i++) {
        size_t size = strlen(config->issuers[i]);
        if (strncmp(url, config->issuers[i], size) == 0 && (url[size] == '\0' || url[size] == '/'))
            return true;
    }
    return false;
}

static bool url_read(struct key_fetcher *fetcher, struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, JWKS_URL_SIZE_MAX);
    if (!file_read_descriptor(&text, STDIN_FILENO, error))
        return false;
    if (memchr(text.data, '\0', text.size) != NULL)
        return error_set(error, ERROR_INVALID, "a URL has no NUL");
    memcpy(fetcher->url, text.data, text.size);
    fetcher->is_allowed = is_issuer_allowed(fetcher->config, fetcher->url);
    return true;
}

static bool prepare(struct key_fetcher *fetcher, struct error *error)
{
    buffer_init(&fetcher->authorities, TLS_ROOTS_SIZE_MAX);
    if (!url_read(fetcher, error))
        return false;
    if (strncmp(fetcher->url, "https://", 8) != 0 && !fetcher->is_allowed)
        return error_set(error, ERROR_DENIED,
                         "keys are fetched over https only; the node's operator can allow another "
                         "issuer ([access] issuers)");
    return errand_roots_read(&fetcher->authorities, NULL, error) &&
           http_fetch_locate(fetcher->place, fetcher->url, error) &&
           key_place_check(fetcher->place, fetcher->is_allowed, error) && http_fetch_prepare(error);
}

static bool close_off(const struct config *config, struct error *error)
{
    const struct errand errand = { .name = "keys",
                                   .calls = calls,
                                   .call_count = ARRAY_COUNT(calls),
                                   .user = NODE_USER_COLLATERAL };
    return errand_close_off(&errand, config, error);
}

static bool ask(struct key_fetcher *fetcher, struct buffer *body, struct error *error)
{
    AUTO_HTTP_FETCHED struct http_fetched fetched = { 0 };
    const struct http_field accept =
        HTTP_FIELD("accept", BYTES_LITERAL("application/jwk-set+json, application/json"));
    const struct http_fetch request = { .url = fetcher->url,
                                        .is_plain_allowed = fetcher->is_allowed,
                                        .authorities = buffer_view(&fetcher->authorities),
                                        .place = fetcher->place,
                                        .fields = &accept,
                                        .field_count = 1,
                                        .timeout_ms = KEY_FETCHER_TIMEOUT_MS,
                                        .body_size_max = JWKS_SIZE_MAX };
    if (!http_fetch(&fetched, &request, error))
        return false;
    if (fetched.status != 200)
        return error_set(
            error, ERROR_UNAVAILABLE, "the issuer answered with status %d%s", fetched.status,
            fetched.status >= 300 && fetched.status < 400 ? " (redirects are not followed)" : "");
    base64_append(body, buffer_view(&fetched.body));
    return !body->failed || error_set(error, ERROR_NO_MEMORY, "no memory for an answer");
}

static bool answer_write(const struct buffer *body, const struct error *missing,
                         struct error *error)
{
    AUTO_BUFFER struct buffer text;
    buffer_init(&text, KEY_FETCHER_ANSWER_SIZE_MAX);
    AUTO_JSON json_t *root =
        missing->code != ERROR_NONE
            ? json_pack("{s:s}", "error", missing->text)
            : json_pack("{s:s%}", "body", body->size == 0 ? "" : (const char *)body->data,
                        body->size);
    if (root == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an answer");
    return json_canonical(&text, root, error) &&
           file_write_all(STDOUT_FILENO, buffer_view(&text), error);
}

int key_fetcher_run(const struct config *config)
{
    static struct key_fetcher fetcher;
    struct error error, missing = { 0 };
    AUTO_BUFFER struct buffer body;
    fetcher.config = config;
    signal(SIGPIPE, SIG_IGN);
    crypto_init();
    buffer_init(&body, KEY_FETCHER_ANSWER_SIZE_MAX);
    bool is_prepared = prepare(&fetcher, &missing);
    bool done = close_off(config, &error);
    if (done && is_prepared)
        (void)!ask(&fetcher, &body, &missing);
    done = done && answer_write(&body, &missing, &error);
    if (!done)
        log_error("keys", &error);
    buffer_done(&fetcher.authorities);
    return done ? 0 : error_exit_code(error.code);
}
