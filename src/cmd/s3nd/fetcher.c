/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/s3nd/fetcher.h"
#include "base/file.h"
#include "base/jail_calls.h"
#include "base/log.h"
#include "cmd/s3nd/errand.h"
#include "cmd/s3nd/launcher.h"
#include "collateral/collateral.h"
#include "crypto/base64.h"
#include "crypto/crypto.h"
#include "crypto/trust.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    KEY_SIZE_MAX = 256,
    PLACE_COUNT = 4 /* three addresses and the end */
};

/* clang-format off */
static const struct jail_call calls[] = {
    JAIL_CALLS_PROCESS,
    JAIL_CALLS_MEMORY,
    JAIL_CALLS_DESCRIPTORS,
    JAIL_CALLS_CLOCKS,
    JAIL_CALLS_HTTP_CLIENT,
    { SCMP_SYS(nanosleep), "pauses between tries" },
    { SCMP_SYS(clock_nanosleep), "the same" },
    { SCMP_SYS(openat), "the cache, in the only folder there is" },
    { SCMP_SYS(open), "the same" },
    { SCMP_SYS(mkdir), "the same: it is there" },
    { SCMP_SYS(stat), "the same" },
    { SCMP_SYS(access), "the same" },
    { SCMP_SYS(getdents64), "the same: the oldest file makes room" },
    { SCMP_SYS(unlinkat), "the same" },
    { SCMP_SYS(unlink), "a file that could not be written" },
    { SCMP_SYS(rename), "a file replaces another" },
    { SCMP_SYS(fchmod), "its mode" },
    { SCMP_SYS(fsync), "it is on the disk before it replaces" },
};
/* clang-format on */

struct fetcher {
    const struct config *config;
    struct collateral_options options;
    struct buffer evidence, authorities, intel_key;
    char places[PLACE_COUNT][FETCH_PLACE_SIZE];
    const char *place_list[PLACE_COUNT];
};

static const char *given(const char *text)
{
    return text[0] == '\0' ? NULL : text;
}

static bool key_read(struct fetcher *fetcher, struct error *error)
{
    const char *path = given(fetcher->config->collateral.intel_key);
    struct buffer *key = &fetcher->intel_key;
    if (path == NULL)
        return true;
    if (!file_read(key, path, error))
        return false;
    while (key->size > 0 && key->data[key->size - 1] <= ' ')
        key->size--;
    buffer_append(key, bytes_of("", 1));
    fetcher->options.network.intel_key = (const char *)key->data;
    return !key->failed || error_set(error, ERROR_INVALID, "intel_key: no key is that long");
}

/* The addresses of all services that the evidence may want.  What has none fails later, and says
 * so. */
static void places_find(struct fetcher *fetcher)
{
    struct attest_collateral none = { 0 };
    struct error unknown;
    size_t count = 0;
    AUTO_FREE struct collateral_wishes *wishes = malloc(sizeof(*wishes));
    if (wishes == NULL ||
        !collateral_wishes_of(wishes, buffer_view(&fetcher->evidence), &none,
                              &fetcher->options.places, SNP_PRODUCT_NONE, &unknown))
        return;
    for (size_t i = 0; i < wishes->count && count + 1 < PLACE_COUNT; i++) {
        char *place = fetcher->places[count];
        if (!http_fetch_locate(place, wishes->items[i].url, &unknown)) {
            log_error("collateral", &unknown);
            continue;
        }
        bool is_known = false;
        for (size_t j = 0; j < count; j++)
            is_known = is_known || strcmp(place, fetcher->places[j]) == 0;
        if (!is_known)
            fetcher->place_list[count++] = place;
    }
    fetcher->options.network.places = fetcher->place_list;
}

static bool prepare(struct fetcher *fetcher, struct error *error)
{
    const struct config_collateral *config = &fetcher->config->collateral;
    fetcher->options = (struct collateral_options){
        .network = collateral_network_system,
        .folder = "/.",
        .places = { given(config->intel_url), given(config->root_crl_url), given(config->amd_url),
                    given(config->update) },
    };
    buffer_init(&fetcher->evidence, FETCHER_EVIDENCE_SIZE_MAX);
    buffer_init(&fetcher->authorities, TLS_ROOTS_SIZE_MAX);
    buffer_init(&fetcher->intel_key, KEY_SIZE_MAX);
    if (!file_read_descriptor(&fetcher->evidence, STDIN_FILENO, error) ||
        !errand_roots_read(&fetcher->authorities, config->authorities, error) ||
        !key_read(fetcher, error))
        return false;
    fetcher->options.network.authorities = buffer_view(&fetcher->authorities);
    places_find(fetcher);
    return http_fetch_prepare(error);
}

static bool close_off(const struct config *config, struct error *error)
{
    char folder[PATH_MAX];
    if (snprintf(folder, sizeof(folder), "%s/collateral", config->data_folder) >=
        (int)sizeof(folder))
        return error_set(error, ERROR_INVALID, "the data folder's path is too long");
    const struct errand errand = { .name = "collateral",
                                   .calls = calls,
                                   .call_count = ARRAY_COUNT(calls),
                                   .user = NODE_USER_COLLATERAL,
                                   .folder = folder };
    return errand_close_off(&errand, config, error);
}

static bool answer_write(struct fetcher *fetcher, const struct collateral *found,
                         const struct error *missing, struct error *error)
{
    int64_t issued_s = 0, next_update_s = 0, due_s = collateral_due_s(found);
    AUTO_BUFFER struct buffer bundle, encoded, text;
    buffer_init(&bundle, FETCHER_ANSWER_SIZE_MAX);
    buffer_init(&encoded, FETCHER_ANSWER_SIZE_MAX);
    buffer_init(&text, FETCHER_ANSWER_SIZE_MAX);
    if (!collateral_ages(found, &issued_s, &next_update_s))
        issued_s = next_update_s = due_s = 0;
    if (!collateral_wrap(&bundle, buffer_view(&fetcher->evidence), found, error))
        return false;
    base64_append(&encoded, buffer_view(&bundle));
    AUTO_JSON json_t *root =
        json_pack("{s:s%, s:I, s:I, s:I, s:I, s:s}", "bundle", (const char *)encoded.data,
                  encoded.size, "issued", (json_int_t)(issued_s == INT64_MAX ? 0 : issued_s),
                  "next_update", (json_int_t)next_update_s, "due", (json_int_t)due_s,
                  "refused_until", (json_int_t)found->refused_until_s, "error", missing->text);
    if (root == NULL || encoded.failed)
        return error_set(error, ERROR_NO_MEMORY, "no memory for an answer");
    return json_canonical(&text, root, error) &&
           file_write_all(STDOUT_FILENO, buffer_view(&text), error);
}

static bool run(struct fetcher *fetcher, struct error *error)
{
    struct attest_collateral none = { 0 };
    struct error missing = { 0 };
    AUTO_COLLATERAL struct collateral found;
    collateral_init(&found);
    if (!prepare(fetcher, error) || !close_off(fetcher->config, error))
        return false;
    (void)!collateral_gather(&found, buffer_view(&fetcher->evidence), &none, &fetcher->options,
                             &missing);
    return answer_write(fetcher, &found, &missing, error);
}

int fetcher_run(const struct config *config)
{
    static struct fetcher fetcher;
    struct error error;
    fetcher.config = config;
    signal(SIGPIPE, SIG_IGN);
    crypto_init();
    bool done = run(&fetcher, &error);
    if (!done)
        log_error("collateral", &error);
    buffer_done(&fetcher.evidence);
    buffer_done(&fetcher.authorities);
    buffer_done(&fetcher.intel_key);
    return done ? 0 : error_exit_code(error.code);
}
