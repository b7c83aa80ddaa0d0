/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/service.h"

#include "core/time.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static bool system_fetch(void *context UNUSED, struct http_fetched *fetched,
                         const struct http_fetch *request, struct error *error)
{
    return http_fetch(fetched, request, error);
}

static void system_pause(void *context UNUSED, uint64_t pause_ms)
{
    struct timespec pause = { .tv_sec = (time_t)(pause_ms / 1000),
                              .tv_nsec = (long)(pause_ms % 1000 * 1000000) };
    nanosleep(&pause, NULL);
}

const struct collateral_network collateral_network_system = { .fetch = system_fetch,
                                                              .pause = system_pause,
                                                              .clock = &clock_system };

/* One try, and what may be done about its failure. */
struct
try {
    const struct collateral_wish *wish;
    const struct collateral_network *network;
    bool may_pass;          /* it failed for now: trying again may help */
    uint64_t retry_after_s; /* what the service asked for; 0: nothing */
};

static int64_t now_of(const struct collateral_network *network)
{
    return (int64_t)(clock_realtime_ns(network->clock) / 1000000000u);
}

/* The directive max-age of Cache-Control; -1 without. */
static int64_t max_age_of(const struct http_fetched *fetched)
{
    struct bytes value = http_fetched_value(fetched, "cache-control");
    static const char name[] = "max-age=";
    for (size_t i = 0; i + strlen(name) < value.size; i++) {
        if (memcmp(value.data + i, name, strlen(name)) != 0 ||
            (i > 0 && value.data[i - 1] != ' ' && value.data[i - 1] != ','))
            continue;
        int64_t age_s = 0;
        struct bytes digits = bytes_part(value, i + strlen(name), SIZE_MAX);
        for (size_t j = 0; j < MIN(digits.size, (size_t)12); j++) {
            if (digits.data[j] < '0' || digits.data[j] > '9')
                break;
            age_s = age_s * 10 + (digits.data[j] - '0');
        }
        return age_s;
    }
    return -1;
}

/* Intel's services number their answers, for those who complain. */
static void add_request_id(const struct http_fetched *fetched, struct error *error)
{
    struct bytes id = http_fetched_value(fetched, "request-id");
    struct error copy = *error;
    if (id.size > 0)
        error_set(error, copy.code, "%s (request %s)", copy.text,
                  error_quote(bytes_part(id, 0, 40)).text);
}

static bool refuse_status(struct try *try, const struct http_fetched *fetched, struct error *error)
{
    int status = fetched->status;
    try->may_pass = status == 429 || status >= 500;
    try->retry_after_s = fetched->retry_after_s;
    if (status == 404 || status == 410)
        error_set(error, ERROR_NOT_FOUND, "the service does not have it (%d)", status);
    else if (status == 401 || status == 403)
        error_set(error, ERROR_DENIED, "the service wants a subscription key (%d)", status);
    else if (status >= 300 && status < 400)
        error_set(error, ERROR_UNAVAILABLE, "the service sends us to %s (%d), where we don't go",
                  error_quote(bytes_part(http_fetched_value(fetched, "location"), 0, 60)).text,
                  status);
    else if (status == 429)
        error_set(error, ERROR_BUSY, "the service is asked too often (429)");
    else
        error_set(error, ERROR_UNAVAILABLE, "the service answered with status %d", status);
    add_request_id(fetched, error);
    return false;
}

static bool accept(struct collateral_entry *entry, const struct try *try,
                   const struct http_fetched *fetched, struct error *error)
{
    AUTO_BUFFER struct buffer chain;
    buffer_init(&chain, COLLATERAL_CHAIN_SIZE_MAX);
    const char *field = collateral_chain_field(try->wish->part);
    struct bytes value = { 0 };
    if (field != NULL)
        value = http_fetched_value(fetched, field);
    if (value.size == 0 && try->wish->part == COLLATERAL_TCB_INFO)
        value = http_fetched_value(fetched, "sgx-tcb-info-issuer-chain"); /* older services */
    if (!collateral_chain_decode(&chain, value, error) ||
        !collateral_piece_read(&entry->piece, try->wish, buffer_view(&fetched->body),
                               buffer_view(&chain), error))
        return error_within(error, "not what was asked for");
    entry->fetched_s = now_of(try->network);
    entry->max_age_s = max_age_of(fetched);
    return true;
}

/* The place that begins with the address's host and port. */
static const char *place_of(const struct collateral_network *network, const char *url)
{
    const char *host = strstr(url, "://");
    for (size_t i = 0; network->places != NULL && host != NULL && network->places[i] != NULL; i++) {
        const char *place = network->places[i];
        size_t name = strcspn(place, ":");
        if (strncmp(host + 3, place, name) == 0 &&
            (host[3 + name] == ':' || host[3 + name] == '/' || host[3 + name] == '\0'))
            return place;
    }
    return NULL;
}

static bool try_once(struct collateral_entry *entry, struct try *try, uint64_t timeout_ms,
                     struct error *error)
{
    const struct collateral_network *network = try->network;
    struct http_field key = HTTP_FIELD("ocp-apim-subscription-key", BYTES_LITERAL(""));
    AUTO_HTTP_FETCHED struct http_fetched fetched = { 0 };
    struct http_fetch request = { .url = try->wish->url,
                                  .is_plain_allowed = true,
                                  .authorities = network->authorities,
                                  .place = place_of(network, try->wish->url),
                                  .fields = &key,
                                  .timeout_ms = (uint32_t)timeout_ms,
                                  .body_size_max = COLLATERAL_BODY_SIZE_MAX };
    if (network->intel_key != NULL && try->wish->part == COLLATERAL_PCK_CHAIN) {
        key.value = bytes_of_string(network->intel_key);
        request.field_count = 1;
    }
    if (!network->fetch(network->context, &fetched, &request, error)) {
        try->may_pass = error->code == ERROR_UNAVAILABLE || error->code == ERROR_TIMEOUT;
        return false;
    }
    if (fetched.status != 200)
        return refuse_status(try, &fetched, error);
    return accept(entry, try, &fetched, error);
}

/* Says what was asked, unless the error does already. */
static bool name_it(const struct collateral_wish *wish, struct error *error)
{
    struct bytes path = bytes_of_string(wish->url);
    path = bytes_part(path, 0, MIN(bytes_find(path, '?'), (size_t)90));
    return strstr(error->text, "://") != NULL
               ? error_within(error, "%s", collateral_part_name(wish->part))
               : error_within(error, "%s from %s", collateral_part_name(wish->part),
                              error_quote(path).text);
}

bool collateral_service_ask(struct collateral_entry *entry, const struct collateral_wish *wish,
                            const struct collateral_network *network, uint64_t deadline_ns,
                            int64_t *refused_until_s, struct error *error)
{
    uint64_t pause_ms = COLLATERAL_PAUSE_MS;
    *refused_until_s = 0;
    for (unsigned i = 0; i < COLLATERAL_TRY_COUNT_MAX; i++) {
        struct try try = { .wish = wish, .network = network };
        uint64_t now_ns = clock_monotonic_ns(network->clock);
        uint64_t left_ms = now_ns < deadline_ns ? (deadline_ns - now_ns) / 1000000 : 0;
        if (left_ms == 0 && i == 0)
            error_set(error, ERROR_TIMEOUT, "no time was left to ask");
        if (left_ms == 0)
            break;
        if (try_once(entry, &try, MIN(left_ms, (uint64_t)COLLATERAL_TRY_TIMEOUT_MS), error))
            return true;
        if (!try.may_pass)
            break;
        now_ns = clock_monotonic_ns(network->clock);
        left_ms = now_ns < deadline_ns ? (deadline_ns - now_ns) / 1000000 : 0;
        uint64_t wait_s = MIN(try.retry_after_s, (uint64_t)COLLATERAL_REFUSAL_S_MAX);
        uint64_t wait_ms = MAX(wait_s * 1000, pause_ms);
        if (wait_s > 0 && (wait_ms >= left_ms || i + 1 == COLLATERAL_TRY_COUNT_MAX)) {
            *refused_until_s = now_of(network) + (int64_t)wait_s;
            error->code = ERROR_BUSY;
            struct error copy = *error;
            error_set(error, ERROR_BUSY, "%s; it may be asked again in %llu s", copy.text,
                      (unsigned long long)wait_s);
            break;
        }
        if (i + 1 == COLLATERAL_TRY_COUNT_MAX || wait_ms >= left_ms)
            break;
        network->pause(network->context, wait_ms);
        pause_ms *= 2;
    }
    return name_it(wish, error);
}
