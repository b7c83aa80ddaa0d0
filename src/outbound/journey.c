/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/journey.h"

#include "base/clock.h"
#include "outbound/head.h"
#include "outbound/rule.h"

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    PLACE_SIZE = URL_HOST_SIZE_MAX + 16 + DNS_ADDRESS_COUNT_MAX * (ADDRESS_TEXT_SIZE + 3)
};

struct journey {
    struct journey_world world;
    struct buffer text;
    struct outbound_request request; /* fields and body as they are now; borrows `text` */
    struct rule rules[RULE_COUNT_MAX];
    struct url url;
    unsigned redirect_count;
    uint64_t deadline_ns;
    struct lookup *lookup;
    struct transfer *transfer;
    journey_done *done;
    void *context;
};

bool journey_address_is_allowed(void *context, const struct sockaddr *address)
{
    struct address checked = { .is_v6 = address->sa_family == AF_INET6 };
    if (address->sa_family == AF_INET) {
        struct sockaddr_in v4;
        memcpy(&v4, address, sizeof(v4));
        memcpy(checked.bytes, &v4.sin_addr, 4);
    } else if (address->sa_family == AF_INET6) {
        struct sockaddr_in6 v6;
        memcpy(&v6, address, sizeof(v6));
        memcpy(checked.bytes, &v6.sin6_addr, 16);
    } else {
        return false;
    }
    return address_is_allowed(&checked, context);
}

static void journey_free(struct journey *journey)
{
    if (journey == NULL)
        return;
    if (journey->text.data != NULL) /* holds a function's credentials */
        explicit_bzero(journey->text.data, journey->text.capacity);
    buffer_done(&journey->text);
    free(journey);
}
DEFINE_AUTO(journey, journey_free)

void journey_cancel(struct journey *journey)
{
    if (journey == NULL)
        return;
    lookup_cancel(TAKE(journey->lookup));
    transfer_cancel(TAKE(journey->transfer));
    journey_free(journey);
}

static void journey_end(struct journey *journey, const struct outbound_answer *answer,
                        const struct error *error)
{
    journey_done *done = journey->done;
    void *context = journey->context;
    done(context, answer, error);
    journey_cancel(journey);
}

/* Says where it failed: functions are told origins, not what stands behind them. */
static void journey_fail(struct journey *journey, const struct error *error)
{
    char origin[URL_ORIGIN_SIZE];
    struct error failure = *error;
    url_origin_write(origin, &journey->url);
    (void)error_within(&failure, "%.120s", origin);
    journey_end(journey, NULL, &failure);
}

/* --- one hop --- */

static bool is_permitted(const struct journey *journey, struct error *error)
{
    char line[RULE_TEXT_SIZE];
    for (size_t i = 0; i < journey->request.rule_count; i++)
        if (rule_has(&journey->rules[i], journey->request.method, &journey->url))
            return true;
    rule_suggest(line, journey->request.method, &journey->url);
    return error_set(error, ERROR_DENIED,
                     "not permitted: no line of permissions.http has \"%.160s\"", line);
}

static bool address_check(const struct journey *journey, const struct address *address,
                          struct error *error)
{
    char text[ADDRESS_TEXT_SIZE];
    if (address_is_allowed(address, journey->world.allowed))
        return true;
    address_write(text, address);
    return error_set(error, ERROR_UNSUPPORTED,
                     "%s is %s, which the node's operator does not allow (outbound.allow_private)",
                     text, address_class_text(address_classify(address)));
}

static bool hop_take(struct journey *journey, const struct transfer_answer *answer,
                     struct error *error);

static void transferred(void *context, const struct transfer_answer *answer,
                        const struct error *error)
{
    struct journey *journey = context;
    struct error own;
    journey->transfer = NULL; /* it frees itself */
    if (answer == NULL || !hop_take(journey, answer, &own))
        journey_fail(journey, answer == NULL ? error : &own);
}

static bool transfer_begin(struct journey *journey, const char *place, struct error *error)
{
    char url[URL_TEXT_SIZE];
    uint64_t now_ns = clock_monotonic_ns(&clock_system);
    if (now_ns >= journey->deadline_ns)
        return error_set(error, ERROR_TIMEOUT, "no complete answer in time");
    url_write(url, &journey->url);
    struct transfer_request request = {
        .method = journey->request.method,
        .url = url,
        .place = place,
        .fields = journey->request.fields,
        .field_count = journey->request.field_count,
        .body = journey->request.body,
        .timeout_ms = (uint32_t)((journey->deadline_ns - now_ns) / 1000000) + 1,
        .body_size_max = journey->request.body_size_max,
    };
    return transfer_start(&journey->transfer, journey->world.transfers, &request, transferred,
                          journey, error);
}

/* Every address must be allowed, or none is asked: a name that leads both ways is a trap. */
static bool pinned_begin(struct journey *journey, const struct dns_answer *answer,
                         struct error *error)
{
    char place[PLACE_SIZE];
    size_t size =
        (size_t)snprintf(place, sizeof(place), "%s:%u:", journey->url.host, journey->url.port);
    for (size_t i = 0; i < answer->count; i++) {
        char text[ADDRESS_TEXT_SIZE];
        const struct address *address = &answer->addresses[i];
        if (!address_check(journey, address, error))
            return false;
        address_write(text, address);
        size += (size_t)snprintf(place + size, sizeof(place) - size,
                                 address->is_v6 ? "%s[%s]" : "%s%s", i == 0 ? "" : ",", text);
    }
    return transfer_begin(journey, place, error);
}

static void located(void *context, const struct dns_answer *answer, const struct error *error)
{
    struct journey *journey = context;
    struct error own;
    journey->lookup = NULL;
    if (answer == NULL)
        journey_fail(journey, error);
    else if (!pinned_begin(journey, answer, &own))
        journey_fail(journey, &own);
}

static bool hop_begin(struct journey *journey, struct error *error)
{
    if (!is_permitted(journey, error))
        return false;
    if (!journey->url.is_address) {
        if (!lookup_start(&journey->lookup, journey->world.resolver, journey->url.host, located,
                          journey, error))
            return false;
        lookup_limit(journey->lookup, journey->deadline_ns);
        return true;
    }
    return address_check(journey, &journey->url.address, error) &&
           transfer_begin(journey, NULL, error);
}

/* --- the next hop --- */

static void fields_keep(struct outbound_request *request, bool (*is_kept)(struct bytes name))
{
    size_t count = 0;
    for (size_t i = 0; i < request->field_count; i++)
        if (is_kept(request->fields[i].name))
            request->fields[count++] = request->fields[i];
    request->field_count = count;
}

static bool is_not_of_body(struct bytes name)
{
    return !head_name_is_of_body(name);
}

static bool redirect(struct journey *journey, int status, struct bytes location,
                     struct error *error)
{
    struct outbound_request *request = &journey->request;
    struct url next;
    if (journey->redirect_count == REDIRECT_COUNT_MAX)
        return error_set(error, ERROR_LIMIT, "more than %d redirects", REDIRECT_COUNT_MAX);
    if (!url_resolve(&next, &journey->url, location, error))
        return error_within(error, "redirect");
    if (journey->url.is_secure && !next.is_secure)
        return error_set(error, ERROR_DENIED, "redirect from https to http");
    bool is_rewritten = (status == 303 && request->method != HTTP_METHOD_HEAD) ||
                        ((status == 301 || status == 302) && request->method == HTTP_METHOD_POST);
    if (is_rewritten) {
        request->method = HTTP_METHOD_GET;
        request->body = (struct bytes){ 0 };
        fields_keep(request, is_not_of_body);
    }
    if (!url_same_origin(&journey->url, &next))
        fields_keep(request, head_name_is_portable);
    journey->url = next;
    journey->redirect_count++;
    return hop_begin(journey, error);
}

static const struct http_field *location_of(const struct transfer_answer *answer)
{
    static const int statuses[] = { 301, 302, 303, 307, 308 };
    bool is_redirect = false;
    for (size_t i = 0; i < ARRAY_COUNT(statuses); i++)
        is_redirect = is_redirect || statuses[i] == answer->status;
    for (size_t i = 0; i < answer->field_count && is_redirect; i++)
        if (bytes_equal_string(answer->fields[i].name, "location"))
            return &answer->fields[i];
    return NULL;
}

static bool hop_take(struct journey *journey, const struct transfer_answer *answer,
                     struct error *error)
{
    char url[URL_TEXT_SIZE];
    const struct http_field *location = location_of(answer);
    if (location != NULL && !journey->request.is_manual)
        return redirect(journey, answer->status, location->value, error);
    url_write(url, &journey->url);
    struct outbound_answer made = { .status = (unsigned)answer->status,
                                    .url = bytes_of_string(url),
                                    .body = answer->body };
    for (size_t i = 0; i < answer->field_count; i++)
        if (head_name_is_shown(answer->fields[i].name))
            made.fields[made.field_count++] = answer->fields[i];
    journey_end(journey, &made, NULL);
    return true;
}

/* --- the first --- */

static bool request_check(struct journey *journey, struct error *error)
{
    struct outbound_request *request = &journey->request;
    if (!outbound_request_read(request, buffer_view(&journey->text), error) ||
        !url_parse(&journey->url, request->url, error))
        return false;
    for (size_t i = 0; i < request->rule_count; i++)
        if (!rule_parse(&journey->rules[i], request->rules[i], error))
            return false;
    for (size_t i = 0; i < request->field_count; i++)
        if (head_name_is_forbidden(request->fields[i].name))
            return error_set(error, ERROR_INVALID, "a header field is not a function's to set");
    return true;
}

bool journey_start(struct journey **journey, const struct journey_world *world, struct buffer *text,
                   journey_done *done, void *context, struct error *error)
{
    AUTO(journey) struct journey *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a request");
    made->world = *world;
    made->text = *text;
    *text = (struct buffer){ 0 };
    made->done = done;
    made->context = context;
    if (!request_check(made, error))
        return false;
    made->deadline_ns = clock_monotonic_ns(&clock_system) + made->request.timeout_ms * 1000000ull;
    if (!hop_begin(made, error))
        return false;
    *journey = TAKE(made);
    return true;
}
